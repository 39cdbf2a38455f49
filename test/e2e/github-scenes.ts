/** What people saw on GitHub at moments of a story, kept for the pictures of the documentation. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BOT } from '../github/state.ts';
import type { CommentState } from '../github/state.ts';
import type { Story } from './github-story.ts';

/** A part of a picture, as Markdown with what stands around it. */
export type ScenePart =
  | {
      readonly kind: 'comment';
      readonly author: string;
      readonly body: string;
      readonly reactions: readonly string[];
    }
  | {
      readonly kind: 'check';
      readonly title: string;
      readonly conclusion: string | null;
      readonly summary: string;
      readonly buttons: readonly string[];
    }
  | { readonly kind: 'issue'; readonly title: string; readonly body: string };

export class Scenes {
  readonly #story: Story;
  readonly #taken = new Map<string, readonly ScenePart[]>();

  constructor(story: Story) {
    this.#story = story;
  }

  /** Comments come with the App's replies right after them. */
  take(name: string, ...what: readonly (CommentState | 'check' | 'monitor')[]): void {
    this.#taken.set(
      name,
      what.flatMap((part) => this.#partsOf(part)),
    );
  }

  /** Where `SPROCKET_SCENES` names a folder: takes more, and writes all of them there. */
  async save(more: (story: Story) => Promise<void>): Promise<void> {
    const folder = process.env['SPROCKET_SCENES'] ?? '';
    if (folder === '') return;
    await more(this.#story);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'scenes.json'), JSON.stringify([...this.#taken], null, 2));
  }

  #partsOf(part: CommentState | 'check' | 'monitor'): readonly ScenePart[] {
    const { check, repository } = this.#story;
    if (part === 'monitor') {
      const { title, body } = this.#story.monitor;
      return [{ kind: 'issue', title, body }];
    }
    if (part === 'check') {
      if (check === undefined) return [];
      const { title, conclusion, summary, actions } = check;
      const buttons = actions.map(({ label }) => label);
      return [{ kind: 'check', title, conclusion, summary, buttons }];
    }
    const all = [...repository.comments.values()];
    const next = all[all.indexOf(part) + 1];
    const replies = next?.author === BOT ? [next] : [];
    return [part, ...replies].map(({ author, body, reactions }) => ({
      kind: 'comment',
      author,
      body,
      reactions: reactions.map(({ content }) => content),
    }));
  }
}
