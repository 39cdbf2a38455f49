/** The stage of a whole migration on GitHub's double: App, workflow runner, databases, and people. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SqlSession } from '../../src/ports/sandbox.ts';
import { connectTo } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { startStage } from '../app/harness.ts';
import type { Stage } from '../app/harness.ts';
import { Scenes } from './github-scenes.ts';
import * as people from '../github/people.ts';
import { WorkflowRunner } from '../github/runner.ts';
import type { CommentState, IssueState, RepositoryState } from '../github/state.ts';

export const BUNDLE = join(import.meta.dirname, '../../build/action-test');
const WAREHOUSE = `
  CREATE SCHEMA src; CREATE SCHEMA dw;
  CREATE TABLE src.orders (id int PRIMARY KEY, amount numeric NOT NULL);
  INSERT INTO src.orders SELECT n, n * 2 FROM generate_series(1, 20) n;
  CREATE TABLE dw.big (id int, amount numeric);
  CREATE TABLE dw.total (total numeric);
  CREATE TABLE dw.other (id int);
  CREATE TABLE dw.small (id int);
  CREATE TABLE dw.ranks (id int, rank bigint);
  CREATE TABLE dw.best (id int);
  CREATE PROCEDURE dw.load_big() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.big;
    INSERT INTO dw.big SELECT id, amount FROM src.orders WHERE amount > 10;
  END $$;
  CREATE PROCEDURE dw.load_total() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.total;
    INSERT INTO dw.total SELECT sum(amount) FROM dw.big;
  END $$;
  CREATE PROCEDURE dw.load_other(p_table text) LANGUAGE plpgsql AS $$
  BEGIN
    EXECUTE 'INSERT INTO ' || p_table || ' SELECT id FROM src.orders';
  END $$;
  CREATE PROCEDURE dw.load_small() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.small;
    INSERT INTO dw.small SELECT id FROM src.orders WHERE random() < 2;
  END $$;
  CREATE PROCEDURE dw.load_ranks() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.ranks;
    INSERT INTO dw.ranks SELECT id, row_number() OVER (ORDER BY id % 3) FROM src.orders;
  END $$;
  CREATE PROCEDURE dw.load_best() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.best;
    INSERT INTO dw.best SELECT id FROM dw.ranks WHERE rank > 0;
  END $$;`;

export class Story {
  readonly stage: Stage;
  readonly repository: RepositoryState;
  readonly production: RepositoryState;
  readonly runner: WorkflowRunner;
  readonly sql: SqlSession;
  readonly url: string;
  readonly scenes = new Scenes(this);
  /** Reports come twenty times as often here as they do in earnest: so do the minutes of a limit. */
  readonly #minutes: NodeJS.Timeout;

  private constructor(stage: Stage, sql: SqlSession, url: string) {
    const { double } = stage;
    this.stage = stage;
    this.sql = sql;
    this.url = url;
    this.#minutes = setInterval(() => double.rates.forget(), 3_000);
    this.repository = double.addRepository('acme', 'sales', { 'README.md': 'hello' });
    this.production = double.addRepository('acme', 'analytics', { 'README.md': 'dbt is here' });
    this.runner = new WorkflowRunner(double, BUNDLE, {
      SOURCE_DATABASE_URL: url,
      TARGET_DATABASE_URL: url,
      SANDBOX_DATABASE_URL: url.replace(/\/[^/]*$/u, '/postgres'),
      SPROCKET_DBT: join(import.meta.dirname, '../../.venv/bin/dbt'),
    });
  }

  static async begin(server: ScratchServer, database: string): Promise<Story> {
    const url = await server.create(database);
    const sql = await connectTo(url);
    await sql.query(WAREHOUSE);
    return new Story(await startStage(), sql, url);
  }

  async end(): Promise<void> {
    clearInterval(this.#minutes);
    await this.runner.close();
    await this.stage.close();
    await this.sql.close();
  }

  async settled(): Promise<void> {
    // An end makes the App ask for another run, and that one ends, too.
    let asked = 0;
    do {
      asked = this.repository.dispatches.length;
      await this.runner.settled();
      await this.stage.settled();
    } while (this.repository.dispatches.length > asked || this.stage.double.sending > 0);
    expect(this.stage.double.violations.splice(0)).toEqual([]);
  }

  pulls(repository: RepositoryState): IssueState[] {
    return [...repository.issues.values()].filter(({ pull }) => pull !== null);
  }

  get check() {
    return [...this.repository.checks.values()].at(-1);
  }

  get monitor(): IssueState {
    const found = [...this.repository.issues.values()].find(
      ({ title }) => title === 'Sprocket: sales',
    );
    if (found === undefined) throw new Error('no monitor issue');
    return found;
  }

  say(text: string): CommentState {
    return people.comment(this.stage.double, this.repository, this.monitor.number, text);
  }

  reactionsTo({ reactions }: CommentState): string[] {
    return reactions.map(({ content }) => content);
  }

  planOnBranch(): string {
    return this.repository.git.run(['show', 'sprocket/sales:plan.md']);
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const since = Date.now();
    while (!(await holds())) {
      if (Date.now() - since > 150_000) {
        const logs = this.runner.results.map(({ command, log }) => `== ${command}\n${log}`);
        throw new Error(`Waited in vain until ${what}.\n${logs.join('\n').slice(-6_000)}`);
      }
      await sleep(50);
    }
  }

  async running(): Promise<boolean> {
    const { rows } = await this.sql.query(
      `SELECT count(*) FROM wirekite.sprocket_procedure WHERE status = 'Running'`,
    );
    return Number(rows[0]?.[0]) > 0;
  }

  async startOf(procedure: string): Promise<string | null> {
    const { rows } = await this.sql.query(
      `SELECT start_time FROM wirekite.wirekite_progress WHERE source = $1`,
      [procedure],
    );
    return rows[0]?.[0] ?? null;
  }
}

export type EndState = ReturnType<typeof endState>;

/** What people and programs see in the end, without what no two runs share. */
export function endState(story: Story) {
  const { repository, production } = story;
  const neutral = (text: string): string =>
    text
      .replaceAll(/<!-- sprocket-[^>]*-->/gu, '')
      .replaceAll(/[0-9a-f]{40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu, 'ID')
      .replaceAll(/(?<=\/runs\/|issuecomment-)\d+/gu, 'N')
      .replaceAll(/\d+(?:\.\d+)? ?(?:ms|s)\b|(?<=\| )\d+\.\d(?= \|)/gu, 'TIME')
      .replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+Z)?/gu, 'MOMENT');
  return {
    check: {
      title: story.check?.title,
      conclusion: story.check?.conclusion,
      open: [...repository.checks.values()].filter(({ status }) => status !== 'completed').length,
    },
    issues: [...repository.issues.values()].map(({ title, state }) => [title, state]),
    monitors: [...repository.issues.values()].filter(({ title }) => title === 'Sprocket: sales')
      .length,
    plan: story.planOnBranch(),
    comments: [...repository.comments.values()].map(({ author, body, reactions }) => [
      author,
      neutral(body),
      reactions.map(({ content }) => content),
    ]),
    pulls: story.pulls(production).map(({ title, body, labels, state, pull }) => ({
      title,
      body: neutral(body),
      labels,
      state,
      reviewers: pull?.reviewers,
      head: pull?.head,
    })),
    remarks: [...production.comments.values()].map(({ body }) => neutral(body)),
    files: production.git.run(['ls-tree', '-r', '--name-only', 'sprocket/sales']).split('\n'),
    commits: production.git.run(['rev-list', '--count', 'main..sprocket/sales']),
  };
}
