/**
 * Rows between trades and facts. In a batch of trades every value takes as many whole bytes as the largest of its column
 * needs, amounts as they are, times, seqs and fees as what they are above the least: 25 to 30 bytes a row in place of 53.
 * A value is written as 8 bytes, of which the next value writes over those that are too many: rows are written from the
 * first to the last of a bucket, and `ROW_GAP` bytes stand behind the last.
 */

/** Stands for a fee that is not known, and for whoever is not. */
export const NO_FEE: i64 = -999_999_999_999_999_999;
export const NOBODY: i32 = -1;

/** Bytes of a row, at most, and those of an unpacked one: time, seq, usd, shares, fee (i64), wallet, other, token (i32), flags (u8). */
export const ROW: usize = 53;

/** What writing a value may go over, or reading it may look at. */
export const ROW_GAP: usize = 8;

/** How the rows of a batch are packed. */
// @ts-ignore: decorator
@unmanaged
export class RowShape {
  /** Bytes of a row. */
  size: u32;
  /** Bytes of each value; flags take one. A fee of no bytes is known of no trade. */
  timeWidth: u32;
  seqWidth: u32;
  usdWidth: u32;
  sharesWidth: u32;
  feeWidth: u32;
  walletWidth: u32;
  otherWidth: u32;
  tokenWidth: u32;
  /** Where each begins in a row; a time is the first, flags are the last byte. */
  seqAt: u32;
  usdAt: u32;
  sharesAt: u32;
  feeAt: u32;
  walletAt: u32;
  otherAt: u32;
  tokenAt: u32;
  /** What is added to a time, a seq and a fee; a fee of 0 is not known, so that this is one below the least. */
  time: i64;
  seq: i64;
  fee: i64;
}

/** Bytes of values of which the largest is given. */
export function widthOf(largest: u64): u32 {
  return <u32>(71 - clz(largest)) >> 3;
}

/** Lays out a row from the widths. */
export function finishShape(shape: RowShape): void {
  shape.seqAt = shape.timeWidth;
  shape.usdAt = shape.seqAt + shape.seqWidth;
  shape.sharesAt = shape.usdAt + shape.usdWidth;
  shape.feeAt = shape.sharesAt + shape.sharesWidth;
  shape.walletAt = shape.feeAt + shape.feeWidth;
  shape.otherAt = shape.walletAt + shape.walletWidth;
  shape.tokenAt = shape.otherAt + shape.otherWidth;
  shape.size = shape.tokenAt + shape.tokenWidth + 1;
}

/** Memory for a shape, in bytes. */
export function rowShapeBytes(): i32 {
  return offsetof<RowShape>();
}

// @ts-ignore: decorator
@inline
function maskOf(width: u32): u64 {
  return width == 0 ? 0 : <u64>-1 >> (64 - 8 * width);
}

/** Unpacks rows to `target`, `ROW` bytes each. Gives the address behind them. */
export function unpackRows(shape: RowShape, row: usize, count: i32, target: usize): usize {
  const size = <usize>shape.size;
  const seqAt = <usize>shape.seqAt;
  const usdAt = <usize>shape.usdAt;
  const sharesAt = <usize>shape.sharesAt;
  const feeAt = <usize>shape.feeAt;
  const walletAt = <usize>shape.walletAt;
  const otherAt = <usize>shape.otherAt;
  const tokenAt = <usize>shape.tokenAt;
  const timeMask = maskOf(shape.timeWidth);
  const seqMask = maskOf(shape.seqWidth);
  const usdMask = maskOf(shape.usdWidth);
  const sharesMask = maskOf(shape.sharesWidth);
  const feeMask = maskOf(shape.feeWidth);
  const walletMask = <u32>maskOf(shape.walletWidth);
  const otherMask = <u32>maskOf(shape.otherWidth);
  const tokenMask = <u32>maskOf(shape.tokenWidth);
  const time = shape.time;
  const seq = shape.seq;
  const base = shape.fee;
  for (let i = 0; i < count; i++) {
    const fee = load<u64>(row + feeAt) & feeMask;
    store<i64>(target, time + <i64>(load<u64>(row) & timeMask));
    store<i64>(target, seq + <i64>(load<u64>(row + seqAt) & seqMask), 8);
    store<u64>(target, load<u64>(row + usdAt) & usdMask, 16);
    store<u64>(target, load<u64>(row + sharesAt) & sharesMask, 24);
    store<i64>(target, fee == 0 ? NO_FEE : base + <i64>fee, 32);
    store<u32>(target, load<u32>(row + walletAt) & walletMask, 40);
    store<i32>(target, <i32>(load<u32>(row + otherAt) & otherMask) + NOBODY, 44);
    store<u32>(target, load<u32>(row + tokenAt) & tokenMask, 48);
    store<u8>(target, load<u8>(row + size - 1), 52);
    row += size;
    target += ROW;
  }
  return target;
}
