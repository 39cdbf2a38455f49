/** The name that git gives the content of a file. */
import { createHash } from 'node:crypto';

export function blobName(content: string): string {
  const bytes = Buffer.from(content, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
