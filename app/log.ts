/** The App's log: JSON lines, and nothing in them that opens a door. */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

/** Every request is logged with its headers; a job's holds its word for itself. */
const SECRET = ['req.headers.authorization', 'req.headers.cookie'];

export function openLog(level: string, destination?: DestinationStream): Logger {
  const options = { level, redact: SECRET };
  return destination === undefined ? pino(options) : pino(options, destination);
}
