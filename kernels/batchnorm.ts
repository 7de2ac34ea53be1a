/**
 * Batch normalisation (Ioffe and Szegedy 2015) of a matrix z of `rows` x `columns`, columns a multiple of 8.
 *
 * All sweeps go in blocks of 16 rows by 8 columns: the constants of the columns sit in registers, the block in the
 * first-level cache. Normalising and scaling is kept as one affine map, a = z * scale + shift; the normalised values
 * are never stored, the way back derives them from z again.
 */
import { multiplyAdd } from './elementary';

const BLOCK_ROWS: i32 = 16;
/** The way back reads everything twice: in strips of 32 columns the second reading finds it in the cache. */
const STRIP_BYTES: usize = 128;
const EPSILON: f32 = 1e-5;
const MOMENTUM: f32 = 0.1;

/**
 * Statistics of a batch of at least two rows: writes `mean`, `inverse` (1 / standard deviation) and the affine map,
 * and moves the running statistics by the momentum 0.1 (variance with n - 1, as PyTorch does).
 */
export function batchNormStatistics(
  z: usize, rows: i32, columns: i32, gamma: usize, beta: usize,
  mean: usize, inverse: usize, scale: usize, shift: usize, runningMean: usize, runningVariance: usize,
): void {
  const stride = <usize>columns << 2;
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const height = min(BLOCK_ROWS, rows - row);
    for (let j: usize = 0; j < stride; j += 32) {
      mergeBlock(z + <usize>row * stride + j, stride, row, height, mean + j, inverse + j);
    }
  }
  const one = f32x4.splat(1);
  const perRow = f32x4.splat(<f32>1 / <f32>rows);
  const unbiased = f32x4.splat(MOMENTUM / <f32>(rows - 1));
  for (let j: usize = 0; j < stride; j += 16) {
    const m = v128.load(mean + j);
    const squares = v128.load(inverse + j);
    const variance = f32x4.mul(squares, perRow);
    const invert = f32x4.div(one, f32x4.sqrt(f32x4.add(variance, f32x4.splat(EPSILON))));
    const s = f32x4.mul(v128.load(gamma + j), invert);
    v128.store(inverse + j, invert);
    v128.store(scale + j, s);
    v128.store(shift + j, f32x4.sub(v128.load(beta + j), f32x4.mul(m, s)));
    const oldMean = v128.load(runningMean + j);
    v128.store(runningMean + j, multiplyAdd(f32x4.splat(MOMENTUM), f32x4.sub(m, oldMean), oldMean));
    const kept = f32x4.mul(f32x4.splat(1 - MOMENTUM), v128.load(runningVariance + j));
    v128.store(runningVariance + j, multiplyAdd(squares, unbiased, kept));
  }
}

/** Mean and sum of squared deviations of one block of 8 columns, merged into those of the `before` rows above. */
// @ts-ignore: decorator
@inline
function mergeBlock(z: usize, stride: usize, before: i32, height: i32, mean: usize, squares: usize): void {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let p = z;
  for (let r = 0; r < height; r++) {
    sum0 = f32x4.add(sum0, v128.load(p));
    sum1 = f32x4.add(sum1, v128.load(p, 16));
    p += stride;
  }
  const perRow = f32x4.splat(<f32>1 / <f32>height);
  const m0 = f32x4.mul(sum0, perRow);
  const m1 = f32x4.mul(sum1, perRow);
  let q0 = f32x4.splat(0);
  let q1 = q0;
  p = z;
  for (let r = 0; r < height; r++) {
    const d0 = f32x4.sub(v128.load(p), m0);
    const d1 = f32x4.sub(v128.load(p, 16), m1);
    q0 = multiplyAdd(d0, d0, q0);
    q1 = multiplyAdd(d1, d1, q1);
    p += stride;
  }
  merge(before, height, m0, q0, mean, squares);
  merge(before, height, m1, q1, mean + 16, squares + 16);
}

/** Mean `m` and sum of squared deviations `q` of `height` rows, merged into those of `before` rows (Chan et al. 1979). */
// @ts-ignore: decorator
@inline
function merge(before: i32, height: i32, m: v128, q: v128, mean: usize, squares: usize): void {
  if (before > 0) {
    const total = <f32>(before + height);
    const old = v128.load(mean);
    const difference = f32x4.sub(m, old);
    m = multiplyAdd(difference, f32x4.splat(<f32>height / total), old);
    const between = f32x4.splat(<f32>height * <f32>before / total);
    q = f32x4.add(multiplyAdd(f32x4.mul(difference, difference), between, q), v128.load(squares));
  }
  v128.store(mean, m);
  v128.store(squares, q);
}

/** The affine map of a trained layer, from its running statistics. */
export function batchNormFrozen(
  columns: i32, gamma: usize, beta: usize, runningMean: usize, runningVariance: usize, scale: usize, shift: usize,
): void {
  const stride = <usize>columns << 2;
  for (let j: usize = 0; j < stride; j += 16) {
    const deviation = f32x4.sqrt(f32x4.add(v128.load(runningVariance + j), f32x4.splat(EPSILON)));
    const s = f32x4.div(v128.load(gamma + j), deviation);
    v128.store(scale + j, s);
    v128.store(shift + j, f32x4.sub(v128.load(beta + j), f32x4.mul(v128.load(runningMean + j), s)));
  }
}

/**
 * The way back through dropout, ReLU and normalisation. On entry `d` is the gradient by the activations `a`; on exit
 * it is the gradient by z. A unit was kept and positive exactly where a > 0, so no mask is needed; `keep` is the
 * factor by which dropout had scaled it. Also writes the gradients of gamma and beta.
 */
export function batchNormBackward(
  d: usize, z: usize, a: usize, rows: i32, columns: i32, mean: usize, inverse: usize, scale: usize,
  dGamma: usize, dBeta: usize, keep: f32,
): void {
  const stride = <usize>columns << 2;
  memory.fill(dGamma, 0, stride);
  memory.fill(dBeta, 0, stride);
  const minusPerRow = f32x4.splat(<f32>-1 / <f32>rows);
  for (let from: usize = 0; from < stride; from += STRIP_BYTES) {
    const to = min(from + STRIP_BYTES, stride);
    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      const height = min(BLOCK_ROWS, rows - row);
      for (let j = from; j < to; j += 32) {
        const at = <usize>row * stride + j;
        sumColumns(d + at, z + at, a + at, stride, height, mean + j, inverse + j, dGamma + j, dBeta + j, keep);
      }
    }
    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      const height = min(BLOCK_ROWS, rows - row);
      for (let j = from; j < to; j += 16) {
        // dz = scale * (q - mean(q) - xhat * mean(q xhat)) = A q + C z + D, where xhat = (z - mean) * inverse.
        const s = v128.load(scale + j);
        const A = f32x4.mul(s, f32x4.splat(keep));
        const C = f32x4.mul(f32x4.mul(f32x4.mul(s, v128.load(inverse + j)), v128.load(dGamma + j)), minusPerRow);
        const meanOfQ = f32x4.mul(f32x4.mul(s, v128.load(dBeta + j)), minusPerRow);
        const D = f32x4.sub(meanOfQ, f32x4.mul(C, v128.load(mean + j)));
        let p = <usize>row * stride + j;
        for (let r = 0; r < height; r++) {
          const q = v128.and(v128.load(d + p), f32x4.gt(v128.load(a + p), f32x4.splat(0)));
          v128.store(d + p, multiplyAdd(A, q, multiplyAdd(C, v128.load(z + p), D)));
          p += stride;
        }
      }
    }
  }
}

/** Adds one block's share of the gradients of gamma and beta, 8 columns. */
// @ts-ignore: decorator
@inline
function sumColumns(
  d: usize, z: usize, a: usize, stride: usize, height: i32, mean: usize, inverse: usize,
  dGamma: usize, dBeta: usize, keep: f32,
): void {
  const m0 = v128.load(mean);
  const m1 = v128.load(mean, 16);
  const zero = f32x4.splat(0);
  let sum0 = zero;
  let sum1 = zero;
  let product0 = zero;
  let product1 = zero;
  for (let r = 0; r < height; r++) {
    const q0 = v128.and(v128.load(d), f32x4.gt(v128.load(a), zero));
    const q1 = v128.and(v128.load(d, 16), f32x4.gt(v128.load(a, 16), zero));
    sum0 = f32x4.add(sum0, q0);
    sum1 = f32x4.add(sum1, q1);
    product0 = multiplyAdd(q0, f32x4.sub(v128.load(z), m0), product0);
    product1 = multiplyAdd(q1, f32x4.sub(v128.load(z, 16), m1), product1);
    d += stride;
    z += stride;
    a += stride;
  }
  const k = f32x4.splat(keep);
  v128.store(dBeta, multiplyAdd(k, sum0, v128.load(dBeta)));
  v128.store(dBeta, multiplyAdd(k, sum1, v128.load(dBeta, 16)), 16);
  v128.store(dGamma, multiplyAdd(k, f32x4.mul(product0, v128.load(inverse)), v128.load(dGamma)));
  v128.store(dGamma, multiplyAdd(k, f32x4.mul(product1, v128.load(inverse, 16)), v128.load(dGamma, 16)), 16);
}
