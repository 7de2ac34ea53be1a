/**
 * Products of single-precision matrices: C = op(A) op(B), row-major, any sizes.
 *
 * After Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): depth is cut into blocks,
 * both operands are packed, and an inner loop keeps a 4 x 8 tile of C in registers. The order of every sum is fixed
 * by the sizes alone, so the result has the same bits on every machine.
 */
import { allocate } from './memory';
import { packNeighbours, packRows } from './pack';

const TILE_ROWS: i32 = 4;
const TILE_COLUMNS: i32 = 8;
/** Depth of a block: an 8-column panel of B then takes 8 kB and stays in the first-level cache. */
const BLOCK_DEPTH: i32 = 256;
/** Rows of A packed at a time: 64 kB. */
const BLOCK_ROWS: i32 = 64;

let packedA: usize = 0;
let packedB: usize = 0;
let packedBBytes: usize = 0;
/** A tile at the edge of C is computed here in full and copied in part. */
let edgeTile: usize = 0;

/** Makes room for products with up to `n` columns, so that `gemm` will not have to grow the memory. */
export function reserveGemm(n: i32): void {
  if (packedA == 0) {
    packedA = allocate(<usize>(BLOCK_ROWS * BLOCK_DEPTH) << 2);
    edgeTile = allocate(<usize>(TILE_ROWS * TILE_COLUMNS) << 2);
  }
  const panels = (n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const bytes = <usize>(panels * TILE_COLUMNS * BLOCK_DEPTH) << 2;
  if (bytes > packedBBytes) {
    packedB = allocate(bytes);
    packedBBytes = bytes;
  }
}

/**
 * C (m x n) = op(A) (m x k) times op(B) (k x n). `transposeA`: A is stored k x m; `transposeB`: B is stored n x k.
 * `lda`, `ldb`, `ldc` are the distances of the stored rows, in elements.
 */
export function gemm(
  transposeA: bool, transposeB: bool, m: i32, n: i32, k: i32,
  a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32,
): void {
  reserveGemm(n);
  const strideA = <usize>lda << 2;
  const strideB = <usize>ldb << 2;
  if (k == 0) for (let i = 0; i < m; i++) memory.fill(c + (<usize>(i * ldc) << 2), 0, <usize>n << 2);
  for (let k0 = 0; k0 < k; k0 += BLOCK_DEPTH) {
    const depth = min(BLOCK_DEPTH, k - k0);
    const blockB = b + (transposeB ? <usize>k0 << 2 : <usize>k0 * strideB);
    packPanelsOfB(transposeB, blockB, strideB, n, depth);
    for (let i0 = 0; i0 < m; i0 += BLOCK_ROWS) {
      const rows = min(BLOCK_ROWS, m - i0);
      const blockA = a + (transposeA ? <usize>k0 * strideA + (<usize>i0 << 2) : <usize>i0 * strideA + (<usize>k0 << 2));
      packPanelsOfA(transposeA, blockA, strideA, rows, depth);
      multiplyBlock(rows, n, depth, c + (<usize>(i0 * ldc) << 2), <usize>ldc << 2, k0 > 0);
    }
  }
}

function packPanelsOfA(transpose: bool, a: usize, stride: usize, rows: i32, depth: i32): void {
  let target = packedA;
  for (let i = 0; i < rows; i += TILE_ROWS) {
    const lanes = rows - i;
    if (transpose) packNeighbours(a + (<usize>i << 2), stride, lanes, depth, target, 16);
    else packRows(a + <usize>i * stride, stride, lanes, depth, target, 16);
    target += <usize>depth << 4;
  }
}

function packPanelsOfB(transpose: bool, b: usize, stride: usize, n: i32, depth: i32): void {
  let target = packedB;
  for (let j = 0; j < n; j += TILE_COLUMNS) {
    for (let half = 0; half < 2; half++) {
      const first = j + half * 4;
      const lanes = n - first;
      const to = target + (<usize>half << 4);
      if (transpose) packRows(b + <usize>first * stride, stride, lanes, depth, to, 32);
      else packNeighbours(b + (<usize>first << 2), stride, lanes, depth, to, 32);
    }
    target += <usize>depth << 5;
  }
}

function multiplyBlock(rows: i32, n: i32, depth: i32, c: usize, stride: usize, accumulate: bool): void {
  for (let j = 0; j < n; j += TILE_COLUMNS) {
    const panelB = packedB + (<usize>(j * depth) << 2);
    const width = min(TILE_COLUMNS, n - j);
    for (let i = 0; i < rows; i += TILE_ROWS) {
      const panelA = packedA + (<usize>(i * depth) << 2);
      const height = min(TILE_ROWS, rows - i);
      const to = c + <usize>i * stride + (<usize>j << 2);
      if (width == TILE_COLUMNS && height == TILE_ROWS) {
        multiplyTile(panelA, panelB, depth, to, stride, accumulate);
      } else {
        multiplyTile(panelA, panelB, depth, edgeTile, <usize>TILE_COLUMNS << 2, false);
        copyEdge(to, stride, height, width, accumulate);
      }
    }
  }
}

function copyEdge(c: usize, stride: usize, height: i32, width: i32, accumulate: bool): void {
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const value = load<f32>(edgeTile + (<usize>(i * TILE_COLUMNS + j) << 2));
      const to = c + <usize>i * stride + (<usize>j << 2);
      store<f32>(to, accumulate ? load<f32>(to) + value : value);
    }
  }
}

/** One tile of C: 4 rows by 8 columns in eight registers. */
function multiplyTile(a: usize, b: usize, depth: i32, c: usize, stride: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const end = a + (<usize>depth << 4);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(a0, b0));
    c01 = f32x4.add(c01, f32x4.mul(a0, b1));
    const a1 = v128.load32_splat(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(a1, b0));
    c11 = f32x4.add(c11, f32x4.mul(a1, b1));
    const a2 = v128.load32_splat(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(a2, b0));
    c21 = f32x4.add(c21, f32x4.mul(a2, b1));
    const a3 = v128.load32_splat(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(a3, b0));
    c31 = f32x4.add(c31, f32x4.mul(a3, b1));
    a += 16;
    b += 32;
  }
  storeRow(c, c00, c01, accumulate);
  storeRow(c + stride, c10, c11, accumulate);
  storeRow(c + 2 * stride, c20, c21, accumulate);
  storeRow(c + 3 * stride, c30, c31, accumulate);
}

// @ts-ignore: decorator
@inline
function storeRow(to: usize, left: v128, right: v128, accumulate: bool): void {
  if (accumulate) {
    left = f32x4.add(v128.load(to), left);
    right = f32x4.add(v128.load(to, 16), right);
  }
  v128.store(to, left);
  v128.store(to, right, 16);
}
