/** The migration repository as a run sees it: files of commits, and one branch that it writes. */

export interface RunRepository {
  /** The commit that a branch, tag or `HEAD` stands at; null where there is none. */
  resolve(ref: string): Promise<string | null>;
  /** Content of one file; null where the commit has no such file. */
  readFile(commit: string, path: string): Promise<string | null>;
  /** Every file under a folder (`''`: of the whole commit), by path from the repository's root. */
  readFolder(commit: string, folder: string): Promise<ReadonlyMap<string, string>>;
  /**
   * What people have under a folder of the branch, by path from the repository's root: without what
   * Sprocket wrote, and where it changed a file of theirs, as that was at `start`.
   */
  readPeoples(
    branch: string,
    start: string | null,
    folder: string,
  ): Promise<ReadonlyMap<string, string>>;
  /**
   * Puts files onto a branch as one commit, without touching any work tree, index or HEAD.
   * The same files again make no commit. What people committed to the branch stays.
   *
   * @throws {RepositoryError} where the branch can't be written
   */
  commit(change: BranchChange): Promise<BranchCommit>;
}

/** The run's branch, as far as plan.md shows on it how the run stands. */
export interface StatusBranch {
  /**
   * Writes one file as a commit of its own, in the place of the last such commit where that is still
   * the tip: however often it is written, the branch has one. The next real commit takes its place.
   */
  writeStatus(change: StatusWriting): Promise<void>;
}

export interface StatusWriting {
  readonly branch: string;
  /** Commit that the branch starts from where it does not exist, and what the file holds there. */
  readonly start: string;
  readonly startText: string;
  readonly path: string;
  readonly message: string;
  readonly rewrite: (current: string | null) => string;
}

export interface BranchChange {
  /** Name without `refs/heads/`. */
  readonly branch: string;
  /** Commit that the branch starts from where it does not exist; null for one without history. */
  readonly start: string | null;
  readonly message: string;
  /** When, ISO 8601 in UTC. */
  readonly at: string;
  /**
   * Every file that Sprocket has to say something about, by path from the repository's root.
   * Files of its earlier commits that are missing here are removed.
   */
  readonly files: ReadonlyMap<string, string>;
  /** Files that Sprocket shares with people: each is made from what the branch has now. */
  readonly rewrites: ReadonlyMap<string, (current: string | null) => string>;
}

export interface BranchCommit {
  readonly commit: string;
  /** False where the branch had it all already. */
  readonly changed: boolean;
  /** Files that a person changed on the branch after Sprocket: left as they are. */
  readonly kept: readonly string[];
}

export type RepositoryErrorCode =
  | 'git-missing'
  | 'not-a-repository'
  | 'bad-branch'
  | 'checked-out'
  | 'unsafe-path'
  | 'path-conflict'
  | 'contended'
  | 'failed';

export class RepositoryError extends Error {
  readonly code: RepositoryErrorCode;

  constructor(code: RepositoryErrorCode, message: string) {
    super(message);
    this.name = 'RepositoryError';
    this.code = code;
  }
}
