/** What the rows of a single write are made from: what a log holds, or values of other tables. */
import type { Fragment } from './fragment.ts';
import { ROW_COUNT } from './version.ts';
import type { Version } from './version.ts';

/** Refusals that do not matter in a table that is left out: the values are counts and the like. */
export const FORGIVEN: ReadonlySet<string> = new Set([
  'unprovable-count',
  'sequence',
  'trigger-on-table',
  'function-side-effect',
  'handler-value',
]);

interface Flow {
  /** Rows of other tables, or values that could not be translated. */
  readonly data: boolean;
  /** The number of rows of a statement, or what only a run knows. */
  readonly count: boolean;
}

/** `table`: the one that is written, as `schema.name`; its own rows don't count. */
export function whatFlows(written: Version, table: string): Flow {
  let data = false;
  let count = false;
  const seen = new Set<Version>([written]);
  const look = (fragment: Fragment): void => {
    for (const part of fragment) {
      if (part.kind === 'poison') {
        if (FORGIVEN.has(part.refusal.code)) count = true;
        else data = true;
      }
      if (part.kind !== 'version' || seen.has(part.version)) continue;
      seen.add(part.version);
      if (part.version.label === ROW_COUNT) count = true;
      else if (part.version.owner === table && part.version.body.kind === 'initial') continue;
      else follow(part.version);
    }
  };
  const follow = ({ body }: Version): void => {
    if (body.kind === 'initial') data = true;
    if (body.kind === 'query') look(body.sql);
    if (body.kind !== 'union') return;
    for (const input of body.inputs) {
      if (seen.has(input)) continue;
      seen.add(input);
      if (input.owner !== table || input.body.kind !== 'initial') follow(input);
    }
  };
  follow(written);
  return { data, count };
}
