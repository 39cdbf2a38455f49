/** Draws text as a terminal shows it, colours included, as an SVG. */
import stringWidth from 'string-width';

interface Run {
  readonly text: string;
  readonly classes: string;
}

const CELL = { width: 7.8, height: 18 } as const;
const MARGIN = 16;
const ESCAPE = '\u001B[';
/** SGR codes that Sprocket prints. */
const CLASSES: Readonly<Record<string, string>> = {
  '1': 'bold',
  '31': 'red',
  '32': 'green',
  '33': 'yellow',
  '34': 'blue',
  '36': 'cyan',
  '90': 'dim',
};
const STYLE = `
  .back { fill: #ffffff; stroke: #d0d7de; }
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #24292f; white-space: pre; }
  .bold { font-weight: 600; }
  .red { fill: #cf222e; } .green { fill: #1a7f37; } .yellow { fill: #9a6700; }
  .blue { fill: #0969da; } .cyan { fill: #1b7c83; } .dim { fill: #6e7781; }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117; stroke: #30363d; } text { fill: #c9d1d9; }
    .red { fill: #ff7b72; } .green { fill: #3fb950; } .yellow { fill: #d29922; }
    .blue { fill: #58a6ff; } .cyan { fill: #39c5cf; } .dim { fill: #8b949e; }
  }`;

/** `panes` stand beside each other; each is lines that may hold SGR sequences. */
export function terminalSvg(panes: readonly (readonly string[])[], label: string): string {
  const sizes = panes.map((lines) => Math.max(...lines.map((line) => stringWidth(line))));
  const lefts = sizes.map((_, at) =>
    sizes.slice(0, at).reduce((sum, columns) => sum + columns * CELL.width + 2 * MARGIN, MARGIN),
  );
  const width = Math.ceil((lefts.at(-1) ?? 0) + (sizes.at(-1) ?? 0) * CELL.width + MARGIN);
  const height = Math.max(...panes.map((lines) => lines.length)) * CELL.height + 2 * MARGIN;
  const texts = panes.flatMap((lines, pane) =>
    lines.flatMap((line, row) => lineTexts(line, lefts[pane] ?? 0, row)),
  );
  const borders = lefts
    .slice(1)
    .map((left) => `<path class="back" d="M${left - MARGIN} 0V${height}"/>`);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="back" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    ...borders,
    ...texts,
    '</svg>',
  ].join('\n')}\n`;
}

function lineTexts(line: string, left: number, row: number): string[] {
  const y = MARGIN + row * CELL.height + 13;
  let column = 0;
  return runsOf(line).flatMap(({ text, classes }) => {
    const columns = stringWidth(text);
    const x = left + column * CELL.width;
    column += columns;
    if (text.trim() === '') return [];
    const style = classes === '' ? '' : ` class="${classes}"`;
    // Whatever the font: each run is as wide as its cells.
    const length = (columns * CELL.width).toFixed(1);
    return `<text x="${x.toFixed(1)}" y="${y}" textLength="${length}" xml:space="preserve"${style}>${escaped(text)}</text>`;
  });
}

function runsOf(line: string): readonly Run[] {
  const [start = '', ...rest] = line.split(ESCAPE);
  const runs: Run[] = [{ text: start, classes: '' }];
  let classes: readonly string[] = [];
  for (const piece of rest) {
    const [, codes = '', kind = '', text = ''] = /^([0-9;]*)([A-Za-z])(.*)$/u.exec(piece) ?? [];
    if (kind === 'm') {
      for (const code of codes.split(';')) {
        const style = CLASSES[code];
        classes = style === undefined ? [] : [...classes, style];
      }
    }
    runs.push({ text, classes: classes.join(' ') });
  }
  return runs;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
