/** Chooses few rows of a proof's databases that show what a procedure does: input of unit tests. */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { QualifiedName, Table } from '../core/catalog/types.ts';
import { writtenSince } from '../core/proof/compare/relations.ts';
import type { HintBook } from '../core/proof/hints/places.ts';
import type { MadeRow } from '../core/proof/rows/rows.ts';
import { nextTable, rowsSql } from '../core/proof/unit-tests/links.ts';
import type { Link, RowsByTable } from '../core/proof/unit-tests/links.ts';
import { mostTelling } from '../core/proof/unit-tests/pick.ts';
import { givenRelations } from '../core/proof/unit-tests/testable.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import type { Translation } from '../core/translate/types.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { withSession } from './prove-context.ts';
import type { ProofContext, RoundSetting } from './prove-context.ts';
import type { LevelOutcome, LevelRound } from './prove-level.ts';
import { onlyGivesRows, translationsOf } from './prove-scope.ts';
import { makeUnitTests } from './prove-unit-tests.ts';
import type { UnitTests } from './prove-unit-tests.ts';

/** Collects the rows while a proof goes on, and makes the tests when it is over. */
export class FewRows {
  readonly #context: ProofContext;
  readonly #hints: HintBook;
  readonly #rows = new Map<string, RowsByTable>();

  constructor(context: ProofContext, hints: HintBook) {
    this.#context = context;
    this.#hints = hints;
  }

  /** While both what the procedures found and what they gave are there. */
  async choose(
    { state, outcome, proven }: LevelRound,
    { before: { moment }, errors }: LevelOutcome,
  ): Promise<void> {
    for (const translation of translationsOf(this.#context, proven)) {
      const { routine } = translation;
      if (translation.outcome !== 'models' || errors.has(routine)) continue;
      const choice = { hints: this.#hints, translation, state, outcome, moment };
      this.#rows.set(routine, await chooseRows(this.#context, choice));
    }
  }

  /** `database`: where the procedures can be called; its rows are thrown away. */
  async tests(
    database: string,
    verdicts: readonly ProofVerdict[],
    rounds: readonly { readonly only: unknown; readonly setting: RoundSetting }[],
  ): Promise<UnitTests> {
    const proven = verdicts.filter(({ outcome }) => outcome === 'proven').map(({ name }) => name);
    const setting = rounds[0]?.setting;
    const built = rounds.findLast(({ only }) => only === null)?.setting;
    const chosen = proven.some((routine) => this.#rows.has(routine));
    if (setting === undefined || built === undefined || !chosen) return new Map();
    const translations = translationsOf(this.#context, proven);
    const rows = this.#rows;
    return makeUnitTests(this.#context, { database, translations, rows, setting, built });
  }
}

interface RowChoice {
  readonly hints: HintBook;
  readonly translation: Translation;
  /** Database with what the procedure found, and one with what it left. */
  readonly state: string;
  readonly outcome: string;
  /** After which rows of the outcome count as written. */
  readonly moment: string;
}

/** Rows of a result that are looked at, and of each input that go with them. */
const RESULTS = 3;
const INPUTS = 3;
/** Rows out of which the telling ones are taken. */
const CANDIDATES = 40;

interface Chosen {
  readonly table: Table;
  readonly rows: readonly MadeRow[];
}

/**
 * Some rows of what the procedure gave, the rows of its inputs that have values in common with them,
 * and one besides. Empty where it gave none.
 */
async function chooseRows(context: ProofContext, choice: RowChoice): Promise<RowsByTable> {
  const { translation, hints, state, outcome, moment } = choice;
  const written = tablesNamed(context, translation.writes);
  const results = await withSession(context, outcome, async (session) => {
    const found: Chosen[] = [];
    for (const table of written) {
      found.push(await choose(session, table, [], RESULTS, writtenSince('r.xmin', moment)));
    }
    return found;
  });
  const given = results.filter(({ rows }) => rows.length > 0);
  if (given.length === 0 && !onlyGivesRows(translation)) return new Map();
  return withSession(context, state, async (session) => {
    const chosen = [...given];
    let left = inputTables(context, translation);
    for (;;) {
      const next = nextTable(hints, left, chosen);
      if (next === null) break;
      const { table, links } = next;
      chosen.push(await withAnother(session, table, links));
      left = left.filter((other) => other !== table);
    }
    // Tables that were empty get one of the rows that the procedure gave: so it meets it again.
    const inputs = chosen.slice(given.length);
    return new Map(
      inputs.map(({ table, rows }) => {
        const result = given.find((other) => other.table === table)?.rows ?? [];
        return [qualified(table.name), rows.length > 0 ? rows : result.slice(0, 1)];
      }),
    );
  });
}

/** What its models read, and what the rows that it writes refer to. */
function inputTables(context: ProofContext, translation: Translation): readonly Table[] {
  const written = tablesNamed(context, translation.writes);
  const referred = written.flatMap((table) =>
    table.foreignKeys.map(({ references }) => references),
  );
  const read = givenRelations(context.catalog, translation.models).map(({ table }) => table);
  return tablesNamed(context, [...read, ...referred]);
}

function tablesNamed({ catalog }: ProofContext, names: readonly QualifiedName[]): readonly Table[] {
  return catalog.tables.filter(
    ({ name, kind }) => kind !== 'foreign' && names.some((other) => sameName(other, name)),
  );
}

async function choose(
  session: SqlSession,
  table: Table,
  links: readonly Link[],
  count: number,
  condition?: string,
): Promise<Chosen> {
  const { columns, rows } = await session.query(rowsSql(table, links, CANDIDATES, condition));
  const candidates = rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
  );
  return { table, rows: mostTelling(candidates, count) };
}

/** Rows that belong to those known, and one that may not: a filter shows in what it leaves out. */
async function withAnother(
  session: SqlSession,
  table: Table,
  links: readonly Link[],
): Promise<Chosen> {
  const linked = await choose(session, table, links, INPUTS);
  if (links.length === 0) return linked;
  const others = await choose(session, table, [], INPUTS);
  const known = new Set(linked.rows.map((row) => JSON.stringify(row)));
  const another = others.rows.filter((row) => !known.has(JSON.stringify(row))).slice(0, 1);
  return { table, rows: [...linked.rows, ...another] };
}
