/** Selectors for procedures that only call others: what they ran is what dbt builds by that name. */
import { parseDocument, YAMLMap, YAMLSeq } from 'yaml';
import type { Translation } from '../translate/types.ts';
import type { PlannedModel } from './arrange.ts';
import { NameRegistry, routineName } from './names.ts';
import type { PlannedTest } from './singular-tests.ts';
import type { ProjectFile } from './types.ts';
import { columnOf, insertedAfter, templateYaml } from './yaml-text.ts';

interface Selector {
  readonly name: string;
  readonly description: string;
  readonly definition: { readonly union: readonly object[] };
}

/** One selector for each procedure of which something is left to build or to test. */
export function selectorsOf(
  translations: readonly Translation[],
  models: readonly PlannedModel[],
  tests: readonly PlannedTest[],
): readonly Selector[] {
  const byRoutine = new Map(translations.map((translation) => [translation.routine, translation]));
  const names = new NameRegistry();
  return translations.flatMap((translation): Selector[] => {
    if (translation.outcome !== 'calls') return [];
    const called = allCalls(translation, byRoutine);
    const nodes = [...models, ...tests].filter(
      ({ routine }) => routine !== null && called.has(routine),
    );
    if (nodes.length === 0) return [];
    return [
      {
        name: names.claim([routineName(translation.routine)]),
        description: `What ${translation.routine} called, with everything that tests it.`,
        definition: {
          union: nodes.map(({ name }) => ({ method: 'fqn', value: name })),
        },
      },
    ];
  });
}

function allCalls(
  start: Translation,
  byRoutine: ReadonlyMap<string, Translation>,
): ReadonlySet<string> {
  const called = new Set<string>();
  const pending = [...start.calls];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (called.has(next)) continue;
    called.add(next);
    pending.push(...(byRoutine.get(next)?.calls ?? []));
  }
  return called;
}

/** `selectors.yml` with these selectors; those that a person wrote stay as they are. */
export function selectorsFile(
  selectors: readonly Selector[],
  existing: ProjectFile | null,
): ProjectFile | null {
  if (selectors.length === 0) return null;
  if (existing === null) return { path: 'selectors.yml', text: templateYaml({ selectors }) };
  const document = parseDocument(existing.text, { version: '1.1' });
  const list = document.get('selectors');
  if (!(list instanceof YAMLSeq)) return { path: existing.path, text: templateYaml({ selectors }) };
  const taken = new Set(
    list.items.map((item) => (item instanceof YAMLMap ? item.get('name') : null)),
  );
  const added = selectors.filter(({ name }) => !taken.has(name));
  if (added.length === 0) return null;
  if (!list.range) return { path: existing.path, text: templateYaml({ selectors }) };
  const [start, end] = list.range;
  const indent = columnOf(existing.text, start);
  return {
    path: existing.path,
    text: insertedAfter(existing.text, end, templateYaml(added), indent),
  };
}
