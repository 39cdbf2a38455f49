/** From which values a column's rows are drawn: those that the procedures speak of, and others. */
import type { Catalog, Column, QualifiedName, Table } from '../../catalog/types.ts';
import { sameName } from '../../catalog/names.ts';
import { columnPlace } from '../hints/places.ts';
import type { Hint, HintBook, HintClass, Place } from '../hints/places.ts';
import type { Ranking } from './ties.ts';
import { commonValues, dayText, familyOf, isMoment, isOrdinary, keyValues } from './values.ts';
import type { TypeFamily, ValueContext } from './values.ts';

export interface Pool {
  /** Values that the procedures' conditions tell apart. */
  readonly told: readonly string[];
  /** Values that a key of the same kind has: joins find partners among them. */
  readonly keys: readonly string[];
  readonly others: readonly string[];
}

/** Values that rows have already, by the root of their column's class: new rows should meet them. */
export type Observed = ReadonlyMap<Place, readonly string[]>;

const IDENTITY_NAME = /(^|_)(id|key|code|number|no|num|nr|sku|uuid)$/iu;

/** So many keys have a table's rows, so that every reference to it finds one. */
export const KEY_COUNT = 30;

export class Pools {
  readonly #catalog: Catalog;
  readonly #hints: HintBook;
  readonly #context: ValueContext;
  readonly #observed: Observed;
  readonly #keyClasses: ReadonlySet<Place>;

  constructor(catalog: Catalog, hints: HintBook, context: ValueContext, observed: Observed) {
    this.#catalog = catalog;
    this.#hints = hints;
    this.#context = context;
    this.#observed = observed;
    this.#keyClasses = new Set(
      catalog.tables.flatMap((table) =>
        table.keys.flatMap(({ columns }) =>
          columns.map((column) => hints.rootOf(columnPlace(table.name, column))),
        ),
      ),
    );
  }

  /** Null where no value of the type is known. */
  of(table: Pick<Table, 'name'>, column: Pick<Column, 'name' | 'type' | 'baseType'>): Pool | null {
    const place = columnPlace(table.name, column.name);
    return this.ofPlace(place, column.type, column.baseType);
  }

  ofPlace(place: Place, type: string, baseType: string): Pool | null {
    if (type.endsWith('[]')) return this.#array(type.slice(0, -2), baseType.replace(/\[\]$/u, ''));
    const user = this.#userType(baseType);
    if (user?.kind === 'enum') return { told: user.labels, keys: [], others: [] };
    if (user?.kind === 'domain' && user.baseType !== null) {
      return this.ofPlace(place, user.baseType, user.baseType.replace(/\(.*\)/u, ''));
    }
    const family = familyOf(baseType);
    const known = this.#hints.classOf(place);
    const isKey = this.#keyClasses.has(this.#hints.rootOf(place));
    const pool =
      family === 'json'
        ? this.#json(known)
        : this.#scalar(known, this.#meaning(known, family), baseType, {
            isKey,
            seen: this.seenAt(place),
          });
    const fitted = fit(pool, type, family);
    const size = fitted.told.length + fitted.keys.length + fitted.others.length;
    return size === 0 ? null : fitted;
  }

  /**
   * The column that says which thing a row is about: its key, or where it has none, the first column
   * that is joined with keys of others, or is called as keys are. Null where there is none.
   */
  identityOf(table: Table): string | null {
    const key = table.keys.find(({ columns }) => columns.length === 1);
    if (key !== undefined) return key.columns[0] ?? null;
    if (table.keys.length > 0) return null;
    const joined = table.columns.find(({ name }) =>
      this.#keyClasses.has(this.#hints.rootOf(columnPlace(table.name, name))),
    );
    const named = table.columns.find(({ name }) => IDENTITY_NAME.test(name));
    return (joined ?? named)?.name ?? null;
  }

  /** How rows of a table are put in order: by its own moments, and as procedures do it. */
  rankingsOf(table: Table): readonly Ranking[] {
    const identity = this.identityOf(table);
    const moments = table.columns.filter(({ baseType }) => isMoment(baseType));
    const own = identity === null ? [] : [identity];
    const columnsOf = (places: readonly Place[]) =>
      table.columns
        .map(({ name }) => name)
        .filter((name) => places.includes(columnPlace(table.name, name)));
    const told = this.#hints.rankings.flatMap(({ partition, order }): Ranking[] => {
      const within = columnsOf(partition);
      return within.length < partition.length
        ? []
        : [{ partition: within, order: columnsOf(order) }];
    });
    return [
      ...own.flatMap((column) =>
        moments.map(({ name }) => ({ partition: [column], order: [name] })),
      ),
      ...told,
    ];
  }

  /** Values that rows of the same class of columns have. */
  seenAt(place: Place): readonly string[] {
    return this.#observed.get(this.#hints.rootOf(place)) ?? [];
  }

  /** A text that is read as a date or a number must hold one. */
  #meaning(known: HintClass, family: TypeFamily): TypeFamily {
    if (family !== 'text' && family !== 'integer') return family;
    const types = [
      ...known.hints.flatMap((hint) => (hint.kind === 'cast' ? [familyOf(hint.type)] : [])),
      ...known.places.map((place) => this.#familyOfPlace(place)),
    ];
    const wanted: readonly TypeFamily[] =
      family === 'integer'
        ? []
        : ['date', 'timestamp', 'integer', 'number', 'float', 'boolean', 'uuid'];
    if (family === 'text' && known.hints.some((hint) => hint.kind === 'format')) return 'text';
    return wanted.find((candidate) => types.includes(candidate)) ?? family;
  }

  #familyOfPlace(place: Place): TypeFamily | null {
    for (const table of this.#catalog.tables) {
      for (const column of table.columns) {
        if (columnPlace(table.name, column.name) === place) return familyOf(column.baseType);
      }
    }
    return null;
  }

  #scalar(
    known: HintClass,
    family: TypeFamily,
    baseType: string,
    { isKey, seen }: { readonly isKey: boolean; readonly seen: readonly string[] },
  ): Pool {
    const told = known.hints.flatMap((hint) => this.#toldBy(hint, family));
    const formatted = known.hints.flatMap((hint) =>
      hint.kind === 'format' ? this.#formatted(hint.value) : [],
    );
    return {
      told: [...new Set([...told, ...formatted])]
        .filter((value) => isValueOf(value, family))
        .filter((value) => !isOrdinary(this.#context) || !isRisky(value, family)),
      keys: isKey ? (seen.length > 0 ? seen : keyValues(family, KEY_COUNT)) : [],
      others:
        formatted.length > 0
          ? formatted
          : [...seen, ...commonValues(family, baseType, this.#context)],
    };
  }

  #toldBy(hint: Hint, family: TypeFamily): readonly string[] {
    if (hint.kind === 'literal') return [hint.value];
    if (hint.kind === 'bound') return neighbours(hint.value, family);
    if (hint.kind === 'pattern') {
      const plain = hint.value.replaceAll(/[%_]/gu, '');
      return [plain, hint.value.replaceAll('%', 'x').replaceAll('_', 'y')];
    }
    return [];
  }

  #formatted(format: string): readonly string[] {
    const days = commonValues('date', 'date', this.#context);
    return days.map((day) => formatDay(day, format));
  }

  #json(known: HintClass): Pool {
    const keys = known.hints.flatMap((hint) => (hint.kind === 'json' ? [hint] : []));
    const byKey = new Map(keys.map((hint) => [hint.key, hint.place]));
    if (byKey.size === 0)
      return { told: [], keys: [], others: commonValues('json', 'json', this.#context) };
    const objects = Array.from({ length: 8 }, (_, row) => {
      const entries = [...byKey].flatMap(([key, place], index): [string, unknown][] => {
        const value = this.#jsonValue(place, row * 3 + index);
        // A key that is missing is another thing than one that is null.
        return (row + index) % 7 === 6 ? [] : [[key, value]];
      });
      return JSON.stringify(Object.fromEntries(entries));
    });
    return { told: [...new Set(objects)], keys: [], others: ['{}'] };
  }

  #jsonValue(place: Place, index: number): unknown {
    const known = this.#hints.classOf(place);
    if (known.hints.some((hint) => hint.kind === 'json')) {
      const pool = this.#json(known).told;
      const parsed: unknown = JSON.parse(pool[index % pool.length] ?? '{}');
      return parsed;
    }
    const family = this.#meaning(known, 'text');
    const { told, others } = this.#scalar(known, family, 'text', {
      isKey: false,
      seen: [],
    });
    const values = [...told, ...others];
    const value = values[index % values.length] ?? null;
    const isNumber = family === 'integer' || family === 'number' || family === 'float';
    if (value !== null && isNumber) return Number(value);
    return family === 'boolean' ? value === 'true' : value;
  }

  #array(element: string, baseType: string): Pool {
    const values = this.ofPlace(`element of ${element}`, element, baseType);
    const [first = '', second = ''] = [...(values?.told ?? []), ...(values?.others ?? [])];
    const quoted = (value: string) => `"${value.replaceAll(/["\\]/gu, '\\$&')}"`;
    return {
      told: [],
      keys: [],
      others: ['{}', `{${quoted(first)}}`, `{${quoted(first)},${quoted(second)}}`],
    };
  }

  #userType(type: string) {
    const name = splitName(type);
    return this.#catalog.types.find((candidate) => sameName(candidate.name, name));
  }
}

function splitName(type: string): QualifiedName {
  const parts = type.split('.').map((part) => part.replaceAll('"', ''));
  return parts.length > 1
    ? { schema: parts[0] ?? '', name: parts.slice(1).join('.') }
    : { schema: 'public', name: parts[0] ?? '' };
}

/** Just below, at, and just above a bound. */
function neighbours(value: string, family: TypeFamily): readonly string[] {
  if (family === 'date' || family === 'timestamp') {
    const moment = new Date(`${value.slice(0, 10)}T00:00:00Z`);
    if (Number.isNaN(moment.getTime())) return [];
    return [dayText(moment, -1), value, dayText(moment, 1)];
  }
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number)) return [value];
  return [String(number - 1), value, String(number + 1)];
}

const VALID: Partial<Readonly<Record<TypeFamily, RegExp>>> = {
  integer: /^-?\d{1,18}$/u,
  number: /^-?\d+(\.\d+)?$/u,
  float: /^-?\d+(\.\d+)?$/u,
  date: /^\d{4}-\d\d-\d\d$/u,
  timestamp: /^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?$/u,
  boolean: /^(true|false|t|f)$/u,
  uuid: /^[0-9a-f-]{36}$/u,
  interval: /\d/u,
  time: /^\d\d:\d\d/u,
};

function isValueOf(value: string, family: TypeFamily): boolean {
  return VALID[family]?.test(value) ?? true;
}

/** Nothing and less than nothing: what a procedure may divide by. */
function isRisky(value: string, family: TypeFamily): boolean {
  const counts = family === 'integer' || family === 'number' || family === 'float';
  return counts && Number(value) <= 0;
}

/** Leaves out what is too long or too large for the type. */
function fit(pool: Pool, type: string, family: TypeFamily): Pool {
  const [, length, scale] = /\((\d+)(?:,(-?\d+))?\)/u.exec(type) ?? [];
  if (length === undefined && type !== 'smallint') return pool;
  const limit = Number(length ?? 4);
  const fits = (value: string): boolean => {
    if (family === 'text') return [...value].length <= limit;
    if (family === 'integer') return Math.abs(Number(value)) < 32_768;
    if (family !== 'number') return true;
    return Math.abs(Number(value)) < 10 ** (limit - Number(scale ?? 0));
  };
  // Words that are too long are cut: a column of one character has values, too.
  const cut = (value: string) => (family === 'text' ? [...value].slice(0, limit).join('') : value);
  return {
    told: pool.told.filter(fits),
    keys: [...new Set(pool.keys.filter(fits))],
    others: [...new Set(pool.others.map(cut))].filter(fits),
  };
}

/** `YYYYMMDD`, `DD/MM/YYYY HH24:MI:SS` and the like. */
function formatDay(day: string, format: string): string {
  const [year = '', month = '', dayOfMonth = ''] = day.split('-');
  return format
    .replaceAll(/YYYY/giu, year)
    .replaceAll(/YY/giu, year.slice(2))
    .replaceAll(/MM/giu, month)
    .replaceAll(/DD/giu, dayOfMonth)
    .replaceAll(/HH24/giu, '13')
    .replaceAll(/HH12|HH/giu, '01')
    .replaceAll(/MI/giu, '45')
    .replaceAll(/SS/giu, '30')
    .replaceAll(/[.]?(MS|US)/giu, '');
}
