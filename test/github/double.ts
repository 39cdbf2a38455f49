/**
 * A GitHub that runs in the test: real git behind it, GitHub's own description as the judge of every
 * request and answer, and GitHub's limits enforced.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { authorize } from './auth.ts';
import { githubContract } from './contract.ts';
import { initBare } from './git.ts';
import { graphql } from './graphql.ts';
import { Rates } from './rates.ts';
import { Refusal } from './route.ts';
import type { Answer, Call, Route } from './route.ts';
import { appRoutes } from './routes/app.ts';
import { checkRoutes } from './routes/checks.ts';
import { contentRoutes } from './routes/content.ts';
import { pullRoutes } from './routes/pulls.ts';
import { talkRoutes } from './routes/talk.ts';
import { newWorld, nextId, timestamp, WEBHOOK_SECRET } from './state.ts';
import type { DeliveryState, RepositoryState, World } from './state.ts';

export interface Fault {
  /** Requests that it hits; each fault hits once. */
  readonly method: string;
  readonly path: RegExp;
  /** `drop`: the connection is cut after the work is done; the caller can't know. */
  readonly answer:
    | 'drop'
    | {
        readonly status: number;
        readonly headers?: Readonly<Record<string, string>>;
        readonly message?: string;
      };
}

export interface LoggedRequest {
  readonly method: string;
  readonly template: string;
  readonly status: number;
}

const ROUTES: readonly (Route & { readonly pattern: RegExp })[] = [
  ...appRoutes,
  ...checkRoutes,
  ...contentRoutes,
  ...pullRoutes,
  ...talkRoutes,
]
  .map((route) => ({ ...route, pattern: patternOf(route.template) }))
  // The more literal the sooner: `issues/comments/…` before `issues/{issue_number}/…`.
  .toSorted((a, b) => variables(a.template) - variables(b.template));

export class GitHubDouble {
  readonly world: World = newWorld();
  readonly requests: LoggedRequest[] = [];
  /** Everything that was sent or answered against GitHub's description. */
  readonly violations: string[] = [];
  readonly faults: Fault[] = [];
  /** Where webhooks go; null keeps them. */
  webhookUrl: string | null = null;
  /** Branches that only move forward. */
  readonly protectedBranches = new Set<string>();
  /** Milliseconds after which each copy of a webhook is sent: one copy, at once. */
  delays: () => readonly number[] = () => [0];
  /** Requests are answered after it: while it is open, GitHub is slow. */
  answering: Promise<void> = Promise.resolve();
  /** Called with every dispatch, once it is answered. */
  onDispatch: ((repository: RepositoryState) => void) | null = null;
  readonly rates = new Rates(this.world);
  readonly #server: Server;
  readonly #folder: string;
  readonly #sending = new Set<Promise<void>>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      void this.#serve(request, response);
    });
  }

  static async start(): Promise<GitHubDouble> {
    const double = new GitHubDouble(await mkdtemp(join(tmpdir(), 'sprocket-github-')));
    await new Promise<void>((resolve) => {
      double.#server.listen(0, '127.0.0.1', resolve);
    });
    return double;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    await this.settled();
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    await rm(this.#folder, { recursive: true, force: true });
  }

  addRepository(
    owner: string,
    name: string,
    files: Readonly<Record<string, string>>,
  ): RepositoryState {
    const git = initBare(join(this.#folder, `${owner}-${name}.git`));
    const repository: RepositoryState = {
      id: nextId(this.world),
      owner,
      name,
      defaultBranch: 'main',
      git,
      issues: new Map(),
      comments: new Map(),
      checks: new Map(),
      runs: [],
      dispatches: [],
      roles: new Map([['octocat', 'write']]),
    };
    git.commit('main', files, 'Begin');
    this.world.repositories.set(`${owner}/${name}`, repository);
    return repository;
  }

  /** Sends a webhook, or keeps it for `deliver` where `webhookUrl` is null. */
  emit(event: string, payload: Record<string, unknown>): void {
    const delivery: DeliveryState = {
      id: nextId(this.world),
      guid: randomUUID(),
      event,
      payload,
      at: timestamp(this.world),
      redelivery: false,
      status: 0,
    };
    this.world.deliveries.push(delivery);
    const url = this.webhookUrl;
    if (url === null) return;
    for (const delay of this.delays()) {
      this.#send(delay === 0 ? this.deliver(delivery, url) : this.#deliverLate(delivery, delay));
    }
  }

  async #deliverLate(delivery: DeliveryState, delay: number): Promise<void> {
    await sleep(delay);
    // Where the App is by then: it may have been started again.
    if (this.webhookUrl !== null) await this.deliver(delivery, this.webhookUrl);
  }

  /** Delivers once, with the same GUID however often. Gives the status, 0 where nobody answered. */
  async deliver(delivery: DeliveryState, url: string): Promise<number> {
    const body = JSON.stringify(delivery.payload);
    const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'GitHub-Hookshot/double',
          'x-github-event': delivery.event,
          'x-github-delivery': delivery.guid,
          'x-hub-signature-256': `sha256=${signature}`,
        },
        signal: AbortSignal.timeout(10_000),
      });
      delivery.status = response.status;
    } catch {
      delivery.status = 0;
    }
    return delivery.status;
  }

  /** Waits until every webhook that is under way was answered. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  /** Webhooks that are under way. */
  get sending(): number {
    return this.#sending.size;
  }

  #send(sending: Promise<unknown>): void {
    const done = sending.then(() => undefined).finally(() => this.#sending.delete(done));
    this.#sending.add(done);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const method = request.method ?? 'GET';
    const body = parseBody(await readAll(request));
    await this.answering;
    const found = ROUTES.find(
      (route) => route.method === method && route.pattern.test(url.pathname),
    );
    const template = found?.template ?? url.pathname;
    const over = this.rates.enter(method, template);
    const fault = this.#takeFault(method, url.pathname);
    const answer =
      fault === null || fault === 'drop'
        ? this.#answer(found ?? null, method, url, body, request, over)
        : { ...fault, body: { message: fault.message ?? 'a fault' } };
    this.rates.leave();
    this.requests.push({ method, template, status: answer.status });
    if (fault === 'drop') {
      request.socket.destroy();
      return;
    }
    const { status, headers = {} } = answer;
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(answer.body));
  }

  #takeFault(method: string, path: string) {
    const at = this.faults.findIndex((each) => each.method === method && each.path.test(path));
    if (at < 0) return null;
    return this.faults.splice(at, 1)[0]?.answer ?? null;
  }

  #answer(
    route: (Route & { readonly pattern: RegExp }) | null,
    method: string,
    url: URL,
    body: Record<string, unknown> | undefined,
    request: IncomingMessage,
    over: string | null,
  ): Answer {
    try {
      if (over !== null) {
        this.violations.push(`${method} ${url.pathname}: secondary rate limit: ${over}`);
        throw new Refusal(403, 'You have exceeded a secondary rate limit.');
      }
      if (url.pathname === '/graphql') {
        const header = request.headers.authorization ?? '';
        return graphql({
          world: this.world,
          header,
          body: body ?? {},
          isProtected: (branch) => this.protectedBranches.has(branch),
          emit: (event, payload) => this.#react(event, payload, null),
        });
      }
      if (route === null) throw new Refusal(404, `The double has no ${method} ${url.pathname}`);
      const path = Object.fromEntries(
        Object.entries(route.pattern.exec(url.pathname)?.groups ?? {}).map(([key, value]) => [
          key,
          decodeURIComponent(value),
        ]),
      );
      const repository = this.world.repositories.get(`${path['owner']}/${path['repo']}`) ?? null;
      authorize(this.world, route, request.headers.authorization ?? '', repository);
      if (repository === null && 'repo' in path) throw new Refusal(404, 'Not Found');
      const wrong = githubContract().request(method, route.template, url.searchParams, body);
      if (wrong.length > 0) {
        this.violations.push(...wrong);
        throw new Refusal(422, wrong.join('; '));
      }
      const call: Call = {
        world: this.world,
        get repository() {
          if (repository === null) throw new Refusal(404, 'Not Found');
          return repository;
        },
        path,
        query: url.searchParams,
        body: body ?? {},
        emit: (event, payload) => this.#react(event, payload, repository),
      };
      const answer = route.handle(call);
      this.violations.push(
        ...githubContract().response(method, route.template, answer.status, answer.body),
      );
      return answer;
    } catch (error) {
      if (error instanceof Refusal)
        return { status: error.status, body: { message: error.message } };
      this.violations.push(`${method} ${url.pathname}: ${String(error)}`);
      return { status: 500, body: { message: String(error) } };
    }
  }

  #react(
    event: string,
    payload: Record<string, unknown>,
    repository: RepositoryState | null,
  ): void {
    if (event === 'redeliver') {
      const delivery = this.world.deliveries.find(({ id }) => id === payload['delivery']);
      if (delivery === undefined || this.webhookUrl === null) return;
      delivery.redelivery = true;
      this.#send(this.deliver(delivery, this.webhookUrl));
    } else if (event === 'dispatched') {
      if (repository !== null) this.onDispatch?.(repository);
    } else {
      this.emit(event, payload);
    }
  }
}

function patternOf(template: string): RegExp {
  const source = template.replaceAll(/\{(\w+)\}/gu, (_, name: string) =>
    name === 'path' ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  );
  return new RegExp(`^${source}$`, 'u');
}

function variables(template: string): number {
  return template.split('{').length;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): Record<string, unknown> | undefined {
  if (text === '') return undefined;
  return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).data;
}
