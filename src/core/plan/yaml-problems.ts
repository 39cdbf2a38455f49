/** What to write instead, for everything that can be wrong with YAML. The text itself is never shown: it may hold a secret. */
import type { ErrorCode } from 'yaml';

const NOT_YAML = 'This is not YAML. Check the brackets, quotes and indentation of this line.';
export const WRITTEN_OUT = 'Anchors and aliases are not taken. Write the value out.';
const ONE_PER_LINE =
  'Write one "key: value" per line, or { key: value, key: value } within one line.';

const MESSAGES: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: WRITTEN_OUT,
  BAD_ALIAS: WRITTEN_OUT,
  BAD_COLLECTION_TYPE: NOT_YAML,
  BAD_DIRECTIVE: 'Directives (%) are not taken. Delete this line.',
  BAD_DQ_ESCAPE:
    'YAML knows no such escape. Write the text in single quotes, or double the backslash.',
  BAD_INDENT:
    'A bracket before this place is not closed, or the line is indented differently from its neighbours. Close the bracket, or use two spaces per level.',
  BAD_PROP_ORDER: WRITTEN_OUT,
  BAD_SCALAR_START: 'A value can not start with this character. Put the value in quotes.',
  BLOCK_AS_IMPLICIT_KEY: ONE_PER_LINE,
  BLOCK_IN_FLOW: ONE_PER_LINE,
  DUPLICATE_KEY: 'This key is there twice. Delete one of them.',
  IMPOSSIBLE: NOT_YAML,
  KEY_OVER_1024_CHARS:
    'This key is too long. Check whether a quote or a colon is missing before it.',
  MISSING_CHAR: 'A colon, comma, quote or closing bracket is missing here. Add it.',
  MULTILINE_IMPLICIT_KEY: ONE_PER_LINE,
  MULTIPLE_ANCHORS: WRITTEN_OUT,
  MULTIPLE_DOCS: 'The settings are one YAML document. Delete the separator.',
  MULTIPLE_TAGS: 'Tags (!) are not taken. Write the value without.',
  NON_STRING_KEY: 'A key is a word. Put it in quotes, or check the brackets before it.',
  RESOURCE_EXHAUSTION: 'The settings are nested too deeply. Check the brackets.',
  TAB_AS_INDENT: 'A tab can not indent YAML. Use two spaces per level.',
  TAG_RESOLVE_FAILED: 'Tags (!) are not taken. Write the value without.',
  UNEXPECTED_TOKEN: NOT_YAML,
};

export function yamlMessage(code: ErrorCode): string {
  return MESSAGES[code];
}
