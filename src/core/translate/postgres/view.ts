/** A view over tables that the routine changes: its query, read in the state of the moment. */
import type { View } from '../../catalog/types.ts';
import { qualified } from '../../catalog/names.ts';
import type { Session } from '../session.ts';
import type { Version } from '../version.ts';
import { refuse } from '../refusals.ts';
import type { BindEnvironment } from './environment.ts';
import { readStatement } from './statement.ts';

export function bindView(session: Session, view: View, environment: BindEnvironment): Version {
  const place = { line: 0, construct: qualified(view.name) };
  if (view.materialized) {
    refuse(
      'function-reads-written',
      place,
      `The materialized view ${qualified(view.name)} holds rows of a table that this procedure changes.`,
    );
  }
  const [part] = readStatement({ text: view.sql, line: 1, comments: [] }, environment);
  const bound = part?.bind(new Map());
  if (bound?.kind !== 'query') refuse('statement', place, 'The view is no query.');
  return session.factory.make({
    label: view.name.name,
    title: `view ${qualified(view.name)}, read here because a table below it changes`,
    lines: { first: 0, last: 0 },
    columns: view.columns.map((column) => ({ name: column.name, type: column.type })),
    keys: bound.query.keys,
    change: null,
    owner: null,
    dataFree: false,
    body: { kind: 'query', head: view.columns.map((column) => column.name), sql: bound.query.sql },
  });
}
