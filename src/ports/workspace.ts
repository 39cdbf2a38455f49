/** Folders for the files of rendered projects, for as long as a proof lasts. */
import type { ProjectFile } from '../core/project/types.ts';

export interface Workspace {
  /** Makes the folder of that name hold these files and no others; gives its path. */
  put(name: string, files: readonly ProjectFile[]): Promise<string>;
  /** Removes all folders. */
  close(): Promise<void>;
}
