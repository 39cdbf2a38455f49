/** Fills a sandbox's database from files of SQL, in whatever order their statements stand. */
import type { RoutineHead } from '../core/proof/statement.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { headOf, itemsOf, remark } from './prove-load-items.ts';
import { makePartitions, makeWhatIsNamed } from './prove-load-missing.ts';
import type { Item, LoadInput, LoadRemark } from './prove-load-items.ts';

export interface LoadResult {
  /** `schema.name(argument types)` of routines made by the procedures' files, in their order. */
  readonly routines: readonly string[];
  /** Routines of those files that the server refuses for good. */
  readonly broken: readonly (LoadRemark & { readonly head: RoutineHead })[];
  /** Other statements that failed for good. */
  readonly failed: readonly LoadRemark[];
  /** What was left out, and does not matter for rows. */
  readonly notes: readonly LoadRemark[];
  /** Calls that the procedures' files make: not run, but they show what arguments look like. */
  readonly calls: readonly string[];
  /** The last `search_path` that schema or procedures set; null where they set none. */
  readonly searchPath: string | null;
}

const ALREADY_THERE = new Set(['42P06', '42P07', '42710', '42723']);
const BATCH = 500;

/** `session` must be on the database to fill; close it afterwards, as the files change its settings. */
export async function loadFiles(session: SqlSession, input: LoadInput): Promise<LoadResult> {
  const loader = new Loader(session, itemsOf(input));
  // Bodies are checked when they run: what they need may be created later in the files.
  await session.query('SET check_function_bodies = off; SET client_min_messages = error');
  for (const part of ['schema', 'procedures', 'data'] as const) await loader.run(part);
  await loader.finish();
  return await loader.result();
}

class Loader {
  readonly #session: SqlSession;
  readonly #items: readonly Item[];
  readonly #ownNames: ReadonlySet<string>;
  readonly #routines: string[] = [];
  readonly #calls: string[] = [];
  readonly #notes: LoadRemark[] = [];
  #pending: Item[] = [];
  #searchPath = '';
  #searchPathOfCode: string | null = null;

  constructor(session: SqlSession, items: readonly Item[]) {
    this.#session = session;
    this.#items = items;
    this.#ownNames = new Set(
      items.flatMap((item) =>
        item.part === 'procedures' && item.role.kind === 'routine' ? [item.role.head.name] : [],
      ),
    );
  }

  async run(part: keyof LoadInput): Promise<void> {
    await this.#readSearchPath();
    const items = this.#items.filter((item) => item.part === part);
    for (let at = 0; at < items.length;) {
      const batch = insertsFrom(items, at);
      if (batch.length > 1 && (await this.#runTogether(batch))) at += batch.length;
      else {
        for (const item of batch.length > 0 ? batch : items.slice(at, at + 1))
          await this.#first(item);
        at += Math.max(1, batch.length);
      }
    }
    await this.#retry();
  }

  /** Makes what only other files would make, until nothing helps any more. */
  async finish(): Promise<void> {
    for (let helped = true; helped;) {
      helped = false;
      for (const item of this.#pending) {
        await this.#setSearchPath(item.searchPath ?? '');
        const made = await makeWhatIsNamed(this.#session, item.piece.text);
        for (const what of made) this.#note(item, `${what} was made for it: no file creates it`);
        helped ||= made.length > 0;
      }
      await this.#retry();
    }
    if ((await makePartitions(this.#session)) > 0) await this.#retry();
  }

  async result(): Promise<LoadResult> {
    const failures = this.#pending.map((item) => ({
      item,
      remark: remark(item, item.error ?? ''),
    }));
    const broken = failures.flatMap(({ item, remark }) => {
      const head = item.part === 'procedures' ? headOf(item.role) : null;
      return head === null ? [] : [{ ...remark, head }];
    });
    return {
      routines: await this.#routineNames(),
      broken,
      failed: failures
        .filter(({ item }) => item.part !== 'procedures' || headOf(item.role) === null)
        .map(({ remark }) => remark),
      notes: this.#notes,
      calls: this.#calls,
      searchPath: this.#searchPathOfCode,
    };
  }

  async #routineNames(): Promise<string[]> {
    // Types are spelled as the catalog has them: with the schema of each that is not the system's.
    await this.#setSearchPath('');
    const { rows } = await this.#session.query(ROUTINE_NAMES, [`{${this.#routines.join(',')}}`]);
    return rows.map(([name]) => String(name));
  }

  /** Many rows written as one statement each: sent together, unless one of them fails. */
  async #runTogether(items: readonly Item[]): Promise<boolean> {
    try {
      await this.#session.query(items.map((item) => item.piece.text).join(';\n'));
      return true;
    } catch {
      return false;
    }
  }

  async #first(item: Item): Promise<void> {
    item.searchPath = this.#searchPath;
    const { role } = item;
    if (item.unseparated) this.#note(item, 'there is no semicolon before it: taken as a statement');
    if (role.kind === 'ignored') return this.#note(item, `left out: ${role.why}`);
    if (role.kind === 'call' && this.#isOwnCall(item)) {
      this.#calls.push(item.piece.text);
      return this.#note(item, 'not run: the proof itself calls what it proves');
    }
    if (await this.#succeeds(item)) {
      if (role.kind === 'setting') await this.#noticeSearchPath(item);
      return;
    }
    if (item.error === null) return;
    const triedOnce = role.kind === 'once' || role.kind === 'setting' || role.kind === 'call';
    if (role.kind === 'lenient') this.#note(item, `${role.what} left out: ${item.error}`);
    else if (triedOnce) this.#note(item, `failed and left out: ${item.error}`);
    else this.#pending.push(item);
  }

  #isOwnCall(item: Item): boolean {
    if (item.part !== 'procedures' || item.role.kind !== 'call') return false;
    return this.#ownNames.has(item.role.routine.at(-1) ?? '');
  }

  /** Runs what failed again, in order, as long as that gets anything further. */
  async #retry(): Promise<void> {
    for (let before = -1; before !== this.#pending.length;) {
      before = this.#pending.length;
      const items = this.#pending;
      this.#pending = [];
      for (const item of items) {
        await this.#setSearchPath(item.searchPath ?? '');
        if (!(await this.#succeeds(item)) && item.error !== null) this.#pending.push(item);
      }
    }
  }

  /** False with an error in `item` where it failed; false without one where it needn't be run. */
  async #succeeds(item: Item): Promise<boolean> {
    item.error = null;
    try {
      await this.#execute(item);
      return true;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      if (ALREADY_THERE.has(error.code)) this.#note(item, `left out: ${error.message}`);
      else item.error = error.message;
      return false;
    }
  }

  async #execute(item: Item): Promise<void> {
    const { piece, role } = item;
    if (piece.kind === 'copy') await this.#session.copyIn(piece.text, [piece.data]);
    else if (role.kind !== 'routine' || item.part !== 'procedures') {
      await this.#session.query(piece.text);
    } else {
      // One transaction: what it made is what carries its number.
      const { rows } = await this.#session.query(`${piece.text};\n${ROUTINES_JUST_MADE}`);
      this.#routines.push(...rows.map(([oid]) => String(oid)));
    }
  }

  async #noticeSearchPath(item: Item): Promise<void> {
    const before = this.#searchPath;
    await this.#readSearchPath();
    const empty = /^("")?$/u.test(this.#searchPath);
    if (item.part === 'data' || empty || before === this.#searchPath) return;
    this.#searchPathOfCode = this.#searchPath;
  }

  async #readSearchPath(): Promise<void> {
    const { rows } = await this.#session.query("SELECT current_setting('search_path')");
    this.#searchPath = rows[0]?.[0] ?? '';
  }

  async #setSearchPath(path: string): Promise<void> {
    await this.#session.query("SELECT set_config('search_path', $1, false)", [path]);
  }

  #note(item: Item, message: string): void {
    this.#notes.push(remark(item, message));
  }
}

const ROUTINES_JUST_MADE = `
SELECT oid FROM pg_catalog.pg_proc
 WHERE xmin::text::bigint = pg_current_xact_id()::text::bigint % 4294967296
   AND prokind IN ('f', 'p')
   AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)`;

/** Names as `routineId` spells them, in the order in which the routines were made. */
const ROUTINE_NAMES = `
SELECT format('%s.%s(%s)', n.nspname, p.proname, (
         SELECT string_agg(format_type(t.type, -1), ', ' ORDER BY t.position)
           FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
                WITH ORDINALITY AS t(type, mode, position)
          WHERE t.mode IS NULL OR t.mode IN ('i', 'b', 'v') OR (t.mode = 'o' AND p.prokind = 'p')))
  FROM (SELECT oid, max(position) AS position
          FROM unnest($1::oid[]) WITH ORDINALITY AS o(oid, position) GROUP BY oid) AS made
  JOIN pg_catalog.pg_proc p ON p.oid = made.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 ORDER BY made.position`;

function insertsFrom(items: readonly Item[], at: number): readonly Item[] {
  const isInsert = (item: Item) =>
    item.piece.kind === 'statement' && item.role.kind === 'data' && item.piece.text.length < 65_536;
  const stop = items.findIndex((item, index) => index >= at && !isInsert(item));
  return items.slice(at, Math.min(stop < 0 ? items.length : stop, at + BATCH));
}
