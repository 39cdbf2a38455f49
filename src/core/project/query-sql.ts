/** A translated query as the text of a dbt model or test. */
import { identifier } from '../translate/identifiers.ts';
import type { Cte, Query, Sql, SqlPart } from '../translate/types.ts';
import type { Reader } from './arrange.ts';
import type { ProjectContext } from './context.ts';
import { escapeJinja } from './jinja.ts';
import { commentText, lineRange, reindent } from './layout.ts';
import { queryTexts } from './parts.ts';
import { RelationSql, textOf } from './relation-sql.ts';
import type { Dependencies } from './relation-sql.ts';

export interface QuerySql {
  readonly text: string;
  readonly dependencies: Dependencies;
}

/** Renders a query as it is read at the reader's place; `routine` owns its parameters. */
export function renderQuery(
  context: ProjectContext,
  reader: Reader,
  routine: string,
  query: Query,
): QuerySql {
  const words = queryTexts(query).flatMap((text) => text.match(/[\p{L}\p{N}_]+/gu) ?? []);
  const relations = new RelationSql(context, reader, [
    ...words,
    ...query.ctes.map(({ name }) => name),
  ]);
  const writer = new SqlWriter(context, relations, routine);
  const ctes = query.ctes.map((cte) => writer.cte(cte));
  const final = reindent(writer.sql(query.final), 0);
  const imports = relations.imports.map(
    ({ name, comment, body }) =>
      `-- ${escapeJinja(commentText(comment))}\n${name} as (\n${body}\n)`,
  );
  const head = [...imports, ...ctes].join(',\n\n');
  return {
    text: head === '' ? final : `with\n\n${head}\n\n${final}`,
    dependencies: relations.dependencies,
  };
}

class SqlWriter {
  readonly #context: ProjectContext;
  readonly #relations: RelationSql;
  readonly #routine: string;

  constructor(context: ProjectContext, relations: RelationSql, routine: string) {
    this.#context = context;
    this.#relations = relations;
    this.#routine = routine;
  }

  cte(cte: Cte): string {
    // A view that is read in place has no lines in the procedure.
    const from = cte.lines.first === 0 ? '' : ` (${lineRange(cte.lines)})`;
    const comment = escapeJinja(commentText(cte.title + from));
    const columns = cte.columns === null ? '' : ` (${cte.columns.map(identifier).join(', ')})`;
    const name = escapeJinja(identifier(cte.name) + columns);
    return `-- ${comment}\n${name} as (\n${reindent(this.sql(cte.sql), 4)}\n)`;
  }

  sql(sql: Sql): string {
    let text = '';
    for (const [index, part] of sql.entries()) {
      const piece = this.#part(part, sql[index + 1]);
      // A brace at the end of one piece must not open a tag with the start of the next.
      if (text.endsWith('{') && piece.startsWith('{')) text = `${text.slice(0, -1)}{{ '{' }}`;
      text += piece;
    }
    return text;
  }

  #part(part: SqlPart, next: SqlPart | undefined): string {
    switch (part.kind) {
      case 'text':
        return escapeJinja(part.text);
      case 'relation':
        return this.#relations.render(part, textOf(next));
      case 'cte':
        return escapeJinja(identifier(part.name));
      case 'parameter': {
        const value = this.#context.parameters.expression(this.#routine, part.name);
        return `cast({{ ${value} }} as ${part.type})`;
      }
      case 'clock': {
        const { clock } = this.#context.options;
        if (clock === 'live') return escapeJinja(part.text);
        const moment = `timestamp with time zone '${clock.replaceAll("'", "''")}'`;
        return part.type === 'timestamp with time zone'
          ? moment
          : `cast(${moment} as ${part.type})`;
      }
      case 'branch':
        return this.#branch(part);
    }
  }

  #branch(part: Extract<SqlPart, { readonly kind: 'branch' }>): string {
    const arms = part.arms.map(({ condition, sql }, index) => {
      const keyword = index === 0 ? 'if' : 'elif';
      const tag =
        condition === null
          ? '{% else %}'
          : `{% ${keyword} ${this.#context.parameters.condition(this.#routine, condition)} %}`;
      return tag + this.sql(sql);
    });
    return `${arms.join('')}{% endif %}`;
  }
}
