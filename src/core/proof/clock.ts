/** The moments that the proof's clock shows. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Microseconds that no author writes: where a model cuts them off, it shows. */
const MICROSECONDS = '.123456+00';

/**
 * The clock of each round, as PostgreSQL reads it: a second run comes an hour after the first, each
 * further round a day after the one before. Values that are set from the clock then differ from
 * round to round, so that a model that fails to set them is found out.
 */
export function roundClocks(first: Date, rounds: number): readonly string[] {
  return Array.from({ length: rounds }, (_, index) => {
    const offset = index === 0 ? 0 : HOUR + (index - 1) * DAY;
    return clockText(new Date(first.getTime() + offset));
  });
}

function clockText(moment: Date): string {
  return moment.toISOString().slice(0, 19).replace('T', ' ') + MICROSECONDS;
}

/**
 * Where no data say what time it is: always the same moment, so that rows which are made up around
 * it, and with them the outcome, don't change from one day to the next.
 */
const UNDATED = new Date('2024-06-17T23:00:00Z');

/**
 * The first round's moment: late on the day of the newest data, as a nightly run would have it.
 * Conditions such as "the last 30 days" then meet rows, whenever the data were made. Moments past
 * `now` are plans and open ends (9999-12-31), not the data's own time.
 */
export function firstMoment(newest: readonly Date[], now: Date): Date {
  const past = newest.filter((moment) => moment <= now);
  if (past.length === 0) return UNDATED;
  const last = Math.max(...past.map((moment) => moment.getTime()));
  return new Date(Math.min(now.getTime(), Math.floor(last / DAY) * DAY + 23 * HOUR));
}
