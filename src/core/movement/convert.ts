/**
 * A value of a change, as the source's log gives it, into wire text.
 *
 * In and out are binary strings (one character per byte). Each conversion agrees with the `read`
 * template of its rule: the same row gives the same text, whether it was loaded or followed.
 */
import type { Conversion } from './model.ts';
import { UnrepresentableValue } from './errors.ts';

type Convert = (value: string, argument: string) => string | null;

function refuse(values: string): never {
  throw new UnrepresentableValue(values);
}

const digits = (value: string) => value.replace('-', '').split('.');

function numeric65(value: string, argument: string): string {
  const [whole = 35, fraction = 30] = argument.split(',').map(Number);
  if (!/^-?[\d.]+$/.test(value)) refuse('NaN or infinity');
  const [before = '', after = ''] = digits(value);
  if (before.replace(/^0+/, '').length > whole || after.replace(/0+$/, '').length > fraction) {
    refuse('numbers beyond the precision of the target column');
  }
  return value;
}

function dateRange(value: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(value) || value.endsWith('BC')) {
    refuse('infinity, dates before the year 1 or after 9999');
  }
  return value;
}

const NATIVE_JSON = new Set(['smallint', 'integer', 'bigint', 'numeric']);

function jsonElement(text: string, element: string): string {
  if (element === 'boolean') return text === 't' ? 'true' : 'false';
  return NATIVE_JSON.has(element) && /^-?\d/.test(text) ? text : JSON.stringify(text);
}

/** PostgreSQL's `{1,NULL,"a b"}` as `[1,null,"a b"]`. */
function arrayJson(value: string, element: string): string {
  let out = '';
  let at = value.startsWith('[') ? value.indexOf('=') + 1 : 0;
  while (at < value.length) {
    const character = value.charAt(at);
    if (character === '{' || character === '}' || character === ',') {
      out += character === '{' ? '[' : character === '}' ? ']' : ',';
      at += 1;
    } else if (character === '"') {
      const quoted = /"((?:[^"\\]|\\.)*)"/sy;
      quoted.lastIndex = at;
      const body = quoted.exec(value)?.[1] ?? '';
      out += jsonElement(body.replace(/\\(.)/gs, '$1'), element);
      at += body.length + 2;
    } else {
      const end = value.slice(at).search(/[,}]/);
      const word = value.slice(at, at + end);
      out += word === 'NULL' ? 'null' : jsonElement(word, element);
      at += end;
    }
  }
  return out;
}

const toHex = (bytes: string) => Buffer.from(bytes, 'latin1').toString('hex');

function bits(bytes: string, argument: string): string {
  const hex = toHex(bytes);
  const binary = hex === '' ? '0' : BigInt(`0x${hex}`).toString(2);
  return binary.padStart(Number(argument), '0');
}

function isZeroDate(value: string): boolean {
  return value.slice(5, 7) === '00' || value.slice(8, 10) === '00';
}

/** Bytes of a `uuid`, `inet4` or `inet6` column, or its text where the log already gave that. */
function address(value: string, kind: string): string {
  const size = kind === 'uuid' ? 16 : kind === 'inet4' ? 4 : 16;
  if (value.length > size || (kind !== 'uuid' && /^[\d.:a-f]{3,}$/.test(value))) return value;
  const bytes = Buffer.alloc(size);
  bytes.write(value, 'latin1');
  if (kind === 'inet4') return [...bytes].join('.');
  const hex = bytes.toString('hex');
  if (kind === 'uuid') return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const groups = hex.match(/.{4}/g) ?? [];
  const mapped = groups.slice(0, 5).every((group) => group === '0000') && groups[5] === 'ffff';
  if (mapped) return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/**
 * The decoder gives a negative time with 64 seconds where it has none, and the minute or hour less: its fields are parts
 * of one number, of 10, 6 and 6 bits.
 */
function time(value: string): string {
  const [, hours, minutes, seconds = '', fraction = ''] =
    /^-(\d+):(\d+):(\d+)(.*)$/.exec(value) ?? [];
  if (hours === undefined) return value;
  const packed = Number(hours) * 4096 + Number(minutes) * 64 + Number(seconds);
  const two = (part: number) => String(part).padStart(2, '0');
  return `-${two(packed >> 12)}:${two((packed >> 6) & 63)}:${two(packed & 63)}${fraction}`;
}

const CONVERSIONS: Readonly<Record<Conversion, Convert>> = {
  text: (value) => value,
  'bool-to-int': (value) => (value === 't' ? '1' : '0'),
  'numeric-65': numeric65,
  money: (value) => value.replace(/[$,]/g, ''),
  hex: (value) => value.slice(2),
  'date-range': dateRange,
  utc: (value) => dateRange(value).replace(/\+00$/, ''),
  'array-json': arrayJson,
  'json-string': (value) => JSON.stringify(value),
  'float-finite': (value) => (/\d/.test(value) ? value : refuse('NaN and infinity')),
  'float-single': (value) =>
    /\d/.test(value) ? String(Math.fround(Number(value))) : refuse('NaN and infinity'),
  'char-trim': (value) => value.replace(/ +$/, ''),
  'zero-one': (value) =>
    value === '0' || value === '1' ? value : refuse('anything but 0 and 1 in a boolean'),
  'within-day': (value) =>
    value.startsWith('-') || value.length > 15 || value.slice(0, 8) > '24:00:00'
      ? refuse('times outside of a day')
      : value,
  time,
  'zero-date-null': (value) => (isZeroDate(value) ? null : value),
  'zero-date-error': (value) =>
    isZeroDate(value)
      ? refuse('zero dates (pipelines.zero_dates: as_null makes them NULL, but for those of a key)')
      : value,
  bytea: (value) => `\\x${toHex(value)}`,
  'fixed-bytea': (value, size) => `\\x${toHex(value.padEnd(Number(size), '\0'))}`,
  'blob-hex': (value, size) => toHex(value.padEnd(Number(size), '\0')),
  bits,
  'bit-bool': (value) => (value.charCodeAt(0) === 0 ? '0' : '1'),
  'set-array': (value) =>
    value === ''
      ? '{}'
      : `{"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll(',', '","')}"}`,
  // The log stores the year as an offset from 1900, and 0 for 0000: a real column never holds 1900.
  year: (value, zero) => (value === '1900' ? zero : value),
  uuid: address,
  'no-nul': (value) => (value.includes('\0') ? refuse('text with U+0000') : value),
  enum: (value) => (value === '' ? refuse('an enum value that is not a label') : value),
};

/** Wire text of one value; null stays null. Throws `UnrepresentableValue`. */
export function convertValue(
  conversion: Conversion,
  argument: string,
  value: string | null,
): string | null {
  return value === null ? null : CONVERSIONS[conversion](value, argument);
}
