/**
 * Draws the pictures of `docs/github/` from a real run on the double:
 *
 *     SPROCKET_SCENES=build/scenes npx vitest run test/e2e/github.test.ts
 *     node scripts/github-pictures.ts build/scenes
 *
 * Needs `chromium`, which says how high a text becomes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { micromark } from 'micromark';
import { gfmTable, gfmTableHtml } from 'micromark-extension-gfm-table';
import { z } from 'zod';

const OUT = join(import.meta.dirname, '../docs/images/github');
const WIDTH = 860;

const partSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('comment'),
    author: z.string(),
    body: z.string(),
    reactions: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('check'),
    title: z.string(),
    conclusion: z.string().nullable(),
    summary: z.string(),
    buttons: z.array(z.string()),
  }),
  z.object({ kind: z.literal('issue'), title: z.string(), body: z.string() }),
]);
type Part = z.output<typeof partSchema>;
const scenesSchema = z.array(z.tuple([z.string(), z.array(partSchema)]));

const STYLE = `
.scene{font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1f2328;background:#fff;padding:12px}
.box{border:1px solid #d1d9e0;border-radius:6px;margin:0 0 10px;overflow:hidden}
.head{background:#f6f8fa;border-bottom:1px solid #d1d9e0;padding:6px 12px;font-size:13px;color:#59636e}
.head b{color:#1f2328}
.body{padding:8px 12px}
.body p{margin:0 0 8px}
.body h3{font-size:16px;margin:4px 0 8px}
.body table{border-collapse:collapse;margin:0 0 8px;font-size:13px}
.body td,.body th{border:1px solid #d1d9e0;padding:3px 9px;text-align:left}
.body ul{margin:0 0 8px;padding-left:6px;list-style:none}
code{background:#eff1f3;border-radius:4px;padding:1px 4px;font:12px ui-monospace,monospace}
pre{background:#f6f8fa;border-radius:6px;padding:8px;margin:0 0 8px;overflow:hidden}
pre code{background:none;padding:0}
details pre{display:none}
.react span{border:1px solid #d1d9e0;border-radius:12px;padding:1px 8px;margin-right:4px;font-size:12px}
.react{padding:0 12px 8px}
.button{display:inline-block;border:1px solid #d1d9e0;border-radius:6px;background:#f6f8fa;padding:2px 10px;margin-left:6px;font-size:12px;color:#1f2328}
a{color:#0969da;text-decoration:none}`;

const SIGNS: Readonly<Record<string, string>> = {
  success: '✅',
  failure: '❌',
  action_required: '⚠️',
  cancelled: '⏹️',
  neutral: '⬜',
  eyes: '👀',
  rocket: '🚀',
  confused: '😕',
};

main(process.argv[2] ?? 'build/scenes');

function main(folder: string): void {
  const scenes = scenesSchema.parse(JSON.parse(readFileSync(join(folder, 'scenes.json'), 'utf8')));
  const drawn = scenes.map(([name, parts]) => ({ name, html: parts.map(partHtml).join('') }));
  const heights = measure(drawn.map(({ html }) => html));
  mkdirSync(OUT, { recursive: true });
  for (const [at, { name, html }] of drawn.entries()) {
    const height = Math.ceil(heights[at] ?? 100);
    writeFileSync(
      join(OUT, `${name}.svg`),
      `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"><foreignObject width="${WIDTH}" height="${height}"><div xmlns="http://www.w3.org/1999/xhtml"><style>${STYLE}</style><div class="scene">${html}</div></div></foreignObject></svg>\n`,
    );
    console.log(`${name}.svg: ${height} high`);
  }
}

function partHtml(part: Part): string {
  switch (part.kind) {
    case 'comment': {
      const reactions = part.reactions.map((each) => `<span>${SIGNS[each] ?? ''} 1</span>`);
      const tail = reactions.length === 0 ? '' : `<div class="react">${reactions.join('')}</div>`;
      return box(`<b>${escaped(part.author)}</b> commented`, markdown(part.body), tail);
    }
    case 'check': {
      const buttons = part.buttons.map((label) => `<span class="button">${escaped(label)}</span>`);
      const sign = part.conclusion === null ? '🟡' : (SIGNS[part.conclusion] ?? '');
      return box(
        `${sign} Sprocket — <b>${escaped(part.title)}</b>${buttons.join('')}`,
        markdown(part.summary),
        '',
      );
    }
    case 'issue':
      return box(`Issue — <b>${escaped(part.title)}</b>`, markdown(part.body), '');
  }
}

function box(head: string, body: string, tail: string): string {
  return `<div class="box"><div class="head">${head}</div><div class="body">${body}</div>${tail}</div>`;
}

/** As XHTML: every element closed, boxes as signs, comments gone. */
function markdown(text: string): string {
  const short = text.replaceAll(/<!--[\s\S]*?-->/gu, '');
  return micromark(short, {
    allowDangerousHtml: true,
    extensions: [gfmTable()],
    htmlExtensions: [gfmTableHtml()],
  })
    .replaceAll(/<br>/gu, '<br/>')
    .replaceAll(/<li>\[ \]/gu, '<li>☐')
    .replaceAll(/<li>\[[xX]\]/gu, '<li>☑');
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/gu, (character) => `&#${character.codePointAt(0)};`);
}

/** How high each text becomes, by a browser. */
function measure(texts: readonly string[]): readonly number[] {
  const folder = mkdtempSync(join(tmpdir(), 'sprocket-pictures-'));
  try {
    const page = join(folder, 'page.html');
    const boxes = texts.map(
      (html) => `<div class="scene" style="width:${WIDTH - 24}px">${html}</div>`,
    );
    const script =
      "document.title=JSON.stringify([...document.querySelectorAll('.scene')].map((e)=>e.getBoundingClientRect().height))";
    writeFileSync(
      page,
      `<!doctype html><meta charset="utf-8"><style>body{margin:0}${STYLE}</style>${boxes.join('')}<script>${script}</script>`,
    );
    const dom = execFileSync(
      'chromium',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${folder}`,
        '--dump-dom',
        `file://${page}`,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 },
    );
    const [, title = '[]'] = /<title>(.*?)<\/title>/u.exec(dom) ?? [];
    return z.array(z.number()).parse(JSON.parse(title));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
