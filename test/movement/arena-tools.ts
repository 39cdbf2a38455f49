/** Small things that several tests of a move do. */
import type { Arena } from './support.ts';

/** Name of the metadata schema. */
export const meta = (arena: Arena) => arena.settings.target.metadataSchema;
export const setAction = (arena: Arena, action: string) =>
  arena.onTarget(`UPDATE ${meta(arena)}.wirekite_action SET action = '${action}'`);

/** Waits for something that must come. */
export async function until(what: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 90_000;
  while (!(await what())) {
    if (Date.now() > end) throw new Error('it did not come to that');
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A table `t` of wide rows at the source. */
export async function filled(arena: Arena, rows: number): Promise<void> {
  await arena.onSource(`CREATE TABLE ${arena.src}.t (id int PRIMARY KEY, v varchar(2000))`);
  const text = 'x'.repeat(1500);
  for (let from = 0; from < rows; from += 1000) {
    const values = Array.from(
      { length: Math.min(1000, rows - from) },
      (_, index) => `(${from + index}, '${text}')`,
    );
    await arena.onSource(`INSERT INTO ${arena.src}.t VALUES ${values.join(', ')}`);
  }
  await arena.onSource(`ANALYZE ${arena.source.dialect === 'mysql' ? 'TABLE ' : ''}${arena.src}.t`);
}
