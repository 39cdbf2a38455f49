/** Proves the procedures of some files: everything that `sprocket prove` does but its output. */
import { routineId } from '../core/catalog/names.ts';
import type { Catalog } from '../core/catalog/types.ts';
import { parseSearchPath } from '../core/graph/search-path.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import { translate } from '../core/translate/translate.ts';
import type { Translation } from '../core/translate/types.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import type { ProofProgress } from './prove-rounds.ts';
import { throwIfAborted, withSession } from './prove-context.ts';
import type { ProofTools } from './prove-context.ts';
import { proveDatabase } from './prove-database.ts';
import { loadFiles } from './prove-load.ts';
import type { LoadInput } from './prove-load-items.ts';
import type { LoadResult } from './prove-load.ts';
import type { InputChange } from './prove-state.ts';
import type { UnitTests } from './prove-unit-tests.ts';

export interface FileProofRequest {
  readonly tools: ProofTools;
  readonly readCatalog: (session: SqlSession) => Promise<Catalog>;
  readonly files: LoadInput;
  readonly changes: readonly InputChange[];
  readonly now: Date;
  readonly progress: (event: ProofProgress) => void;
}

export interface FileProof {
  readonly catalog: Catalog;
  readonly translations: readonly Translation[];
  /** Of every procedure in the files, those that the server refuses included. */
  readonly verdicts: readonly ProofVerdict[];
  readonly unitTests: UnitTests;
  readonly loaded: LoadResult;
}

const DATABASE = 'given';

/** Throws `SandboxError`, `DbtError` or `ProofAborted` where nothing could be proven at all. */
export async function proveFiles(request: FileProofRequest): Promise<FileProof> {
  const { tools, files, progress } = request;
  // Said at once where dbt is missing; and it starts while the files are read.
  const ready = tools.dbt.version();
  ready.catch(() => undefined);
  await loadParser();
  await tools.sandbox.create(DATABASE);
  progress({ round: 'load', step: 'reading the files', done: 0, total: 1 });
  const loaded = await withSession(tools, DATABASE, (session) => loadFiles(session, files));
  throwIfAborted(tools);
  await ready;
  // The files may have changed the settings of their session.
  const found = await withSession(tools, DATABASE, request.readCatalog);
  const searchPath =
    loaded.searchPath === null ? found.searchPath : parseSearchPath(loaded.searchPath);
  const catalog = { ...found, searchPath };
  const wanted = new Set(loaded.routines);
  const routines = catalog.routines.map(routineId).filter((id) => wanted.has(id));
  const translations = inOrder(translate(catalog, { routines }), loaded.routines);
  const { verdicts, unitTests } = await proveDatabase({
    tools,
    catalog,
    translations,
    ordered: false,
    database: DATABASE,
    changes: request.changes,
    values: new Map(),
    calls: loaded.calls,
    now: request.now,
    progress,
  });
  return {
    catalog,
    translations,
    verdicts: [...verdicts, ...brokenVerdicts(loaded)],
    unitTests,
    loaded,
  };
}

function inOrder(
  translations: readonly Translation[],
  routines: readonly string[],
): readonly Translation[] {
  const place = new Map(routines.map((routine, index) => [routine, index]));
  const at = ({ routine }: Translation) => place.get(routine) ?? routines.length;
  return translations.toSorted((a, b) => at(a) - at(b));
}

/** Routines that the server did not even take. */
function brokenVerdicts({ broken, searchPath }: LoadResult): ProofVerdict[] {
  const [first] = searchPath === null ? [] : parseSearchPath(searchPath);
  return broken.map(({ head, file, line, statement, message }): ProofVerdict => {
    const schema = head.schema ?? first ?? 'public';
    return {
      name: `${schema}.${head.name}(${head.argumentTypes.join(', ')})`,
      outcome: 'broken',
      models: [],
      rounds: 0,
      rows: 0,
      seconds: 0,
      reasons: [
        {
          line: 1,
          construct: statement,
          message: `The server refuses it (${file}, line ${line}): ${message}`,
          advice: 'Correct the statement that creates it.',
        },
      ],
      differences: [],
      branches: { reached: 0, total: 0 },
      leftOut: [],
    };
  });
}
