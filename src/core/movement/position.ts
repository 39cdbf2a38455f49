/** Places in a source's log: `16/B374D848` (PostgreSQL) or `mariadb-bin.000003:4711` (MySQL). */

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;
const BINLOG = /^(.+)\.(\d+):(\d+)$/;

/** A number that grows with the log; compare only positions of one source. Throws on anything else. */
export function positionOrder(position: string): bigint {
  const lsn = LSN.exec(position);
  if (lsn !== null) return (BigInt(`0x${lsn[1]}`) << 32n) | BigInt(`0x${lsn[2]}`);
  const binlog = BINLOG.exec(position);
  if (binlog !== null) return (BigInt(binlog[2] ?? 0) << 64n) | BigInt(binlog[3] ?? 0);
  throw new RangeError(`"${position}" is no position in a log`);
}

/** True where `a` is not before `b`. */
export function reached(a: string, b: string): boolean {
  return positionOrder(a) >= positionOrder(b);
}

export function lsnText(value: bigint): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

export interface BinlogPosition {
  readonly file: string;
  readonly offset: number;
}

export function parseBinlogPosition(position: string): BinlogPosition {
  const at = position.lastIndexOf(':');
  return { file: position.slice(0, at), offset: Number(position.slice(at + 1)) };
}
