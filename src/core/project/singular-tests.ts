/** Checks of procedures as singular data tests: queries that must give no row. */
import type { TranslatedTest, Translation } from '../translate/types.ts';
import type { ProjectContext } from './context.ts';
import { TEST_MARK } from './existing.ts';
import { configBlock, escapeJinja } from './jinja.ts';
import { commentText } from './layout.ts';
import { joinNames, NameRegistry, routineName, safeName, safePath } from './names.ts';
import { renderQuery } from './query-sql.ts';
import type { QuerySql } from './query-sql.ts';
import type { ProjectFile } from './types.ts';

export interface PlannedTest {
  readonly name: string;
  readonly position: number;
  readonly routine: string;
  readonly translated: TranslatedTest;
  readonly query: QuerySql;
}

export function planTests(
  context: ProjectContext,
  translations: readonly Translation[],
): readonly PlannedTest[] {
  const names = new NameRegistry(context.options.existing?.testNames);
  return translations.flatMap(({ routine, tests }, position) =>
    tests.map((translated): PlannedTest => {
      const short = safeName(translated.name);
      const name = names.claim([short, joinNames(routineName(routine), short)]);
      const query = renderQuery(context, { position, model: null }, routine, translated.query);
      return { name, position, routine, translated, query };
    }),
  );
}

export function testFile(
  { name, routine, translated, query }: PlannedTest,
  folder: string,
): ProjectFile {
  const { line, message, kind } = translated;
  // The procedure itself goes on where its result depends on the order of its input.
  const severity = kind === 'ambiguity' ? `${configBlock([['severity', 'warn']])}\n\n` : '';
  const comment = [
    `-- ${escapeJinja(commentText(message))}`,
    `-- From ${escapeJinja(commentText(routine))}, line ${line} of its body. ${TEST_MARK}`,
  ];
  return {
    path: safePath(folder, `${name}.sql`),
    text: `${severity}${comment.join('\n')}\n\n${query.text}\n`,
  };
}
