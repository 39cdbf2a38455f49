import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configBlock, escapeJinja, jinjaString } from '../../../src/core/project/jinja.ts';
import { hasMultilineString, reindent } from '../../../src/core/project/layout.ts';

describe('reindent', () => {
  it('moves a statement as one block, its first line with it', () => {
    const text = 'SELECT a,\n           b\n      FROM x\n     WHERE y';
    expect(reindent(text, 4)).toBe('    SELECT a,\n          b\n     FROM x\n    WHERE y');
  });

  it.each([
    ["SELECT 'two\n   lines'"],
    ['SELECT $tag$\n  x\n$tag$'],
    ['SELECT 1 AS "odd\n name"'],
    ["SELECT E'it\\'s\n  more'"],
  ])('leaves a string over several lines alone: %j', (text) => {
    expect(hasMultilineString(text)).toBe(true);
    expect(reindent(text, 4)).toBe(text);
  });

  it.each([["SELECT 'a' -- it's\n  , b"], ["/* it's\n */ SELECT 1"], ["SELECT '\\'\n, 'b'"]])(
    'is not fooled by %j',
    (text) => {
      expect(hasMultilineString(text)).toBe(false);
    },
  );

  it('changes nothing but white space at the ends of lines', () => {
    const line = fc.stringMatching(/^[ a-z,()'"$\-/*]{0,12}$/u);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.nat(6), (lines, spaces) => {
        const text = lines.join('\n');
        const bare = (value: string) =>
          value
            .split('\n')
            .map((each) => each.trim())
            .join('\n')
            .trim();
        expect(bare(reindent(text, spaces))).toBe(bare(text));
      }),
    );
  });
});

describe('jinja', () => {
  /** What Jinja prints: only our own escapes are tags. */
  const rendered = (template: string) => template.replaceAll("{{ '{' }}", '{');

  it('escapes every opening mark, and nothing else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[{}%#a' ]{0,20}$/u), (text) => {
        fc.pre(!text.includes("{{ '{' }}"));
        const template = escapeJinja(text);
        expect(rendered(template)).toBe(text);
        expect(template.replaceAll("{{ '{' }}", '')).not.toMatch(/\{[{%#]/u);
      }),
    );
  });

  it('writes strings in the quotes that need fewer escapes', () => {
    expect(jinjaString("it's")).toBe('"it\'s"');
    expect(jinjaString('a"b')).toBe("'a\"b'");
    expect(jinjaString('a\'b"c\\\n')).toBe("'a\\'b\"c\\\\\\n'");
  });

  it('writes a config block as people do', () => {
    expect(
      configBlock([
        ['materialized', 'table'],
        ['full_refresh', false],
        ['unique_key', ['a', 'b']],
      ]),
    ).toBe(
      "{{\n    config(\n        materialized='table',\n        full_refresh=false,\n        unique_key=['a', 'b']\n    )\n}}",
    );
  });
});
