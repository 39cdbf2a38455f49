/** Proves that two sides hold the same rows: digests of pieces, then of rows, then the rows themselves. */
import { qualified } from '../core/catalog/names.ts';
import { isNumericKey } from '../core/movement/chunks.ts';
import { comparedColumns, differingKeys, differingPieces } from '../core/movement/compare.ts';
import type { TableMapping } from '../core/movement/model.ts';
import type { ComparedTable, MoveSource, MoveTarget, Piece, PieceSum } from '../ports/move.ts';

const SHOWN = 100;
const PIECE_ROWS = 20_000;
const MOST_PIECES = 4096;
/** Rows of a piece whose digests are held at once, of each side. */
const MOST_ROWS = 200_000;

interface RowDifference {
  readonly kind: 'missing' | 'extra' | 'different';
  /** Key columns and their values, as both sides print them. */
  readonly key: Readonly<Record<string, string | null>>;
  /** Columns that differ, or all of a row that one side lacks. */
  readonly columns: readonly {
    readonly column: string;
    readonly source: string | null;
    readonly target: string | null;
  }[];
}

export interface TableVerdict {
  readonly table: string;
  readonly target: string;
  readonly equal: boolean;
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** The first of them. */
  readonly shown: readonly RowDifference[];
}

interface Sides {
  readonly source: MoveSource;
  readonly target: MoveTarget;
  readonly left: ComparedTable;
  readonly right: ComparedTable;
}

interface Cut {
  readonly sums: readonly [readonly PieceSum[], readonly PieceSum[]];
  readonly pieceOf: (name: string) => Piece;
}

/** Compares one table. `native` where both sides digest alike. */
export async function verifyTable(
  source: MoveSource,
  target: MoveTarget,
  mapping: TableMapping,
): Promise<TableVerdict> {
  const native = source.dialect === 'postgres' && target.dialect === 'postgres';
  const compared = comparedColumns(mapping, native);
  const sides: Sides = {
    source,
    target,
    left: { name: mapping.source, ...compared.source },
    right: { name: mapping.target, ...compared.target },
  };
  const { sums, pieceOf } = await cut(sides);
  const count = (side: readonly PieceSum[]) => side.reduce((total, { rows }) => total + rows, 0);
  const found = { missing: 0, extra: 0, different: 0 };
  const shown: RowDifference[] = [];
  for (const name of differingPieces(sums[0], sums[1])) {
    for (const piece of await narrowed(sides, pieceOf(name), rowsOf(sums, name))) {
      const [left, right] = await Promise.all([
        source.side.digests(sides.left, piece),
        target.side.digests(sides.right, piece),
      ]);
      const keys = differingKeys(left, right);
      found.missing += keys.missing.length;
      found.extra += keys.extra.length;
      found.different += keys.different.length;
      if (shown.length < SHOWN)
        shown.push(...(await showRows(sides, piece, keys, SHOWN - shown.length)));
    }
  }
  return {
    table: qualified(mapping.source),
    target: qualified(mapping.target),
    equal: found.missing + found.extra + found.different === 0,
    sourceRows: count(sums[0]),
    targetRows: count(sums[1]),
    ...found,
    shown,
  };
}

/** Pieces by ranges of a numeric key, which both sides order alike; else by a digest of the key. */
async function cut({ source, target, left, right }: Sides): Promise<Cut> {
  const [first] = left.key;
  if (
    first !== undefined &&
    isNumericKey(left.key.map((key) => ({ ...key, type: key.baseType })))
  ) {
    const extent = await source.side.extent(left);
    if (extent !== null) {
      const [min, max] = extent;
      const most = BigInt(MOST_PIECES);
      const byRows = (max - min) / BigInt(PIECE_ROWS) + 1n;
      const width = (max - min) / (byRows < most ? byRows : most) + 1n;
      const last = (max - min) / width;
      const sums = await Promise.all([
        source.side.sumRanges(left, min, max, width),
        target.side.sumRanges(right, min, max, width),
      ]);
      const pieceOf = (name: string): Piece => {
        const number = BigInt(name);
        return {
          kind: 'range',
          lower: number <= 0n ? null : (min + number * width).toString(),
          upper: number >= last ? null : (min + (number + 1n) * width).toString(),
        };
      };
      return { sums, pieceOf };
    }
  }
  const of = 256;
  const sums = await Promise.all([
    source.side.sumBuckets(left, of),
    target.side.sumBuckets(right, of),
  ]);
  return { sums, pieceOf: (name) => ({ kind: 'bucket', bucket: Number(name), of }) };
}

/** Rows of a piece on each side. */
function rowsOf(sums: Cut['sums'], name: string): readonly [number, number] {
  const [left = 0, right = 0] = sums.map(
    (side) => side.find(({ piece }) => piece === name)?.rows ?? 0,
  );
  return [left, right];
}

/** Where a key has gaps one stretch of it may hold most of the rows: that is cut by rows, of the side that has more. */
async function narrowed(
  { source, target, left, right }: Sides,
  piece: Piece,
  rows: readonly [number, number],
): Promise<readonly Piece[]> {
  if (piece.kind !== 'range' || Math.max(...rows) <= MOST_ROWS) return [piece];
  const bounds =
    rows[0] >= rows[1]
      ? await source.side.bounds(left, piece, PIECE_ROWS)
      : await target.side.bounds(right, piece, PIECE_ROWS);
  const ends = [...bounds, piece.upper];
  return ends.map((upper, index) => ({
    kind: 'range',
    lower: index === 0 ? piece.lower : (bounds[index - 1] ?? null),
    upper,
  }));
}

async function showRows(
  { source, target, left, right }: Sides,
  piece: Piece,
  keys: ReturnType<typeof differingKeys>,
  room: number,
): Promise<readonly RowDifference[]> {
  const tagged = (['missing', 'extra', 'different'] as const)
    .flatMap((kind) => keys[kind].map((key) => ({ kind, key })))
    .slice(0, room);
  const wanted = tagged.map(({ key }) => key);
  const [here, there] = await Promise.all([
    source.side.rows(left, piece, wanted),
    target.side.rows(right, piece, wanted),
  ]);
  return tagged.map(({ kind, key }) => {
    const sourceRow = here.get(key);
    const targetRow = there.get(key);
    const columns = left.columns.map(({ name }, index) => ({
      column: name,
      source: sourceRow?.[index] ?? null,
      target: targetRow?.[index] ?? null,
    }));
    const row = sourceRow ?? targetRow ?? [];
    return {
      kind,
      key: Object.fromEntries(
        left.key.map(({ name }) => [
          name,
          row[left.columns.findIndex((column) => column.name === name)] ?? null,
        ]),
      ),
      columns:
        kind === 'different'
          ? columns.filter((column) => column.source !== column.target)
          : columns,
    };
  });
}
