/** What a check run says about a run: counts, table, logs, buttons. */
import type { Instant } from '../lifecycle/state.ts';
import type { Plan } from '../plan/types.ts';
import { byteLength, markdownText } from '../report/markdown.ts';
import { progressMarkdown } from '../report/progress-markdown.ts';
import { countStatuses, progressTitle } from '../report/progress.ts';
import type { Progress } from '../report/progress.ts';
import { failureAnnotations } from './annotations.ts';
import { buttonsFor } from './buttons.ts';
import type { RunSituation } from './buttons.ts';
import { fitLine } from './fit.ts';
import { CHECK_TEXT, CHECK_TITLE } from './limits.ts';
import type { CheckContent, CheckState } from './types.ts';
import { scopeWords } from './plan-check.ts';

/** Where people go from a run's check run and monitor issue; null where there is nothing yet. */
export interface RunLinks {
  readonly workflow: string | null;
  readonly branch: string | null;
  readonly monitor: string | null;
  readonly check: string | null;
  readonly pullRequest: string | null;
}

export interface RunView {
  /** The plan as the run reads it, and its path in the repository. */
  readonly plan: Plan;
  readonly path: string;
  readonly progress: Progress;
  readonly situation: RunSituation;
  readonly now: Instant;
  /** Lines by procedure, oldest first. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  /** One line: who paused it and why, or what interrupted it. Unsafe text; null for nothing. */
  readonly notice: string | null;
  readonly links: RunLinks;
}

export function runCheck(view: RunView): CheckContent {
  const { progress, situation, links, now, logs } = view;
  const failed = countStatuses(progress.rows).byStatus.Failed;
  const state = stateOf(situation);
  const head = [
    markdownText(fitLine(view.notice ?? '', 1_000)),
    scopeWords(view.plan),
    linkLine(links, ['workflow', 'branch', 'monitor', 'pullRequest']),
  ]
    .filter((line) => line !== '')
    .map((line) => `${line}\n\n`)
    .join('');
  const table = progressMarkdown(progress, {
    now,
    logs,
    limit: CHECK_TEXT - byteLength(head),
    wholeUrl: links.branch,
  });
  return {
    state,
    title: fitLine(`${PREFIX[situation]}${progressTitle(progress.rows)}`, CHECK_TITLE),
    summary: `${head}${table}`,
    text: null,
    // Annotations add up with every request, so they are sent once, at the end.
    annotations:
      state.status === 'completed' ? failureAnnotations(view.path, view.plan, progress.rows) : [],
    buttons: buttonsFor(situation, failed),
    detailsUrl: links.workflow,
  };
}

const PREFIX: Readonly<Record<RunSituation, string>> = {
  launchable: '',
  refused: '',
  running: '',
  paused: 'Paused: ',
  stopped: 'Stopped: ',
  interrupted: 'Interrupted: ',
  'needs a person': 'Needs a person: ',
  done: 'Done: ',
};

function stateOf(situation: RunSituation): CheckState {
  switch (situation) {
    case 'launchable':
      return { status: 'queued' };
    case 'running':
    case 'paused':
      return { status: 'in_progress' };
    case 'done':
      return { status: 'completed', conclusion: 'success' };
    case 'stopped':
      return { status: 'completed', conclusion: 'cancelled' };
    case 'interrupted':
      return { status: 'completed', conclusion: 'failure' };
    case 'needs a person':
    case 'refused':
      return { status: 'completed', conclusion: 'action_required' };
  }
}

const LINK_WORDS: Readonly<Record<keyof RunLinks, string>> = {
  workflow: 'Workflow run',
  branch: 'Branch of the run',
  monitor: 'Monitor issue',
  check: 'Check run',
  pullRequest: 'Pull request',
};

/** `[Workflow run](…) · [Branch of the run](…)`; empty where there is none. */
export function linkLine(links: RunLinks, which: readonly (keyof RunLinks)[]): string {
  return which
    .flatMap((key) => {
      const url = links[key];
      return url === null ? [] : [`[${LINK_WORDS[key]}](${url})`];
    })
    .join(' · ');
}
