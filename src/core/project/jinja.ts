/** Text inside dbt's templates: what must be escaped so that it comes out as it went in. */

/** Makes plain text safe in a template: `{{`, `{%` and `{#` come out as they are. */
export function escapeJinja(text: string): string {
  return text.replaceAll(/\{(?=[{%#])/gu, "{{ '{' }}");
}

/** A Jinja string literal, in whichever quotes need fewer escapes. */
export function jinjaString(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return quote + escaped + quote;
}

export type JinjaValue = string | boolean | readonly string[];

function jinjaValue(value: JinjaValue): string {
  if (typeof value === 'string') return jinjaString(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return `[${value.map(jinjaString).join(', ')}]`;
}

/** dbt's config block, one setting a line, as dbt's own style guide writes it. */
export function configBlock(settings: readonly (readonly [string, JinjaValue])[]): string {
  const lines = settings.map(([name, value]) => `        ${name}=${jinjaValue(value)}`);
  return `{{\n    config(\n${lines.join(',\n')}\n    )\n}}`;
}
