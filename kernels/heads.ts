/**
 * The heads of a multi-task network: output functions, losses and their gradients, in place.
 *
 * All outputs stand side by side in a matrix of `rows` x `columns`, columns a multiple of 4. What a column is says a
 * table of six rows of `columns` values at `table`:
 *   0 slope and 1 offset: output = slope * sigmoid(slope * z) - offset; (1, 0) is the sigmoid, (2, 1) is tanh
 *   2 mask of ReLU outputs, 3 mask of identity outputs (all bits set or none)
 *   4 mask of logistic losses (sigmoid output), else squared errors
 *   5 mask of columns that this file leaves to `softmax.ts`
 * A target that is NaN is missing: it adds nothing to the loss, and its gradient is 0.
 */
import { exp4, log4, multiplyAdd } from './elementary';

/** Number of present targets of every column. */
export function countPresent(targets: usize, rows: i32, columns: i32, counts: usize): void {
  const stride = <usize>columns << 2;
  const one = f32x4.splat(1);
  for (let j: usize = 0; j < stride; j += 16) {
    let count = f32x4.splat(0);
    let t = targets + j;
    for (let i = 0; i < rows; i++) {
      const target = v128.load(t);
      count = f32x4.add(count, v128.and(one, f32x4.eq(target, target)));
      t += stride;
    }
    v128.store(counts + j, count);
  }
}

/** Output values: z + bias through each column's output function. Columns of a softmax get z + bias. */
export function headOutputs(outputs: usize, rows: i32, columns: i32, bias: usize, table: usize): void {
  const stride = <usize>columns << 2;
  const one = f32x4.splat(1);
  for (let j: usize = 0; j < stride; j += 16) {
    const slope = v128.load(table + j);
    const offset = v128.load(table + stride + j);
    const relu = v128.load(table + 2 * stride + j);
    const identity = v128.or(v128.load(table + 3 * stride + j), v128.load(table + 5 * stride + j));
    const shift = v128.load(bias + j);
    let p = outputs + j;
    for (let i = 0; i < rows; i++) {
      const z = f32x4.add(v128.load(p), shift);
      const s = f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(f32x4.mul(slope, z)))));
      let y = f32x4.sub(f32x4.mul(slope, s), offset);
      y = v128.bitselect(f32x4.max(z, f32x4.splat(0)), y, relu);
      v128.store(p, v128.bitselect(z, y, identity));
      p += stride;
    }
  }
}

/**
 * Turns pre-activations (without bias) into the gradient of the loss by them. `weights` is per column the head's
 * weight over the number of targets its mean runs over. Writes the gradient of the bias and, per column, the sum of
 * the unweighted losses to `losses`. Columns of a softmax are left alone.
 */
export function headGradients(
  outputs: usize, targets: usize, rows: i32, columns: i32, bias: usize, biasGradient: usize,
  weights: usize, table: usize, losses: usize,
): void {
  const stride = <usize>columns << 2;
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  for (let j: usize = 0; j < stride; j += 16) {
    const slope = v128.load(table + j);
    const offset = v128.load(table + stride + j);
    const relu = v128.load(table + 2 * stride + j);
    const identity = v128.load(table + 3 * stride + j);
    const logistic = v128.load(table + 4 * stride + j);
    const foreign = v128.load(table + 5 * stride + j);
    const anyLogistic = v128.any_true(logistic);
    const shift = v128.load(bias + j);
    const weight = v128.load(weights + j);
    const slopeSquared = f32x4.mul(slope, slope);
    let sum = zero;
    let gradient = zero;
    let p = outputs + j;
    let t = targets + j;
    for (let i = 0; i < rows; i++) {
      const raw = v128.load(p);
      const z = f32x4.add(raw, shift);
      const s = f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(f32x4.mul(slope, z)))));
      let y = f32x4.sub(f32x4.mul(slope, s), offset);
      let dy = f32x4.mul(f32x4.mul(slopeSquared, s), f32x4.sub(one, s));
      y = v128.bitselect(f32x4.max(z, zero), y, relu);
      dy = v128.bitselect(v128.and(one, f32x4.gt(z, zero)), dy, relu);
      y = v128.bitselect(z, y, identity);
      dy = v128.bitselect(one, dy, identity);
      const target = v128.load(t);
      const present = v128.andnot(f32x4.eq(target, target), foreign);
      const error = v128.and(f32x4.sub(y, target), present);
      let loss = f32x4.mul(error, error);
      let d = f32x4.mul(f32x4.mul(f32x4.splat(2), f32x4.mul(weight, error)), dy);
      if (anyLogistic) {
        // -t log s - (1 - t) log(1 - s) = max(z, 0) - t z + log(1 + e^-|z|), which does not overflow.
        const tail = log4(f32x4.add(one, exp4(f32x4.neg(f32x4.abs(z)))));
        const entropy = f32x4.add(f32x4.sub(f32x4.max(z, zero), f32x4.mul(target, z)), tail);
        loss = v128.bitselect(v128.and(entropy, present), loss, logistic);
        d = v128.bitselect(f32x4.mul(weight, error), d, logistic);
      }
      sum = f32x4.add(sum, loss);
      gradient = f32x4.add(gradient, v128.andnot(d, foreign));
      v128.store(p, v128.bitselect(raw, d, foreign));
      p += stride;
      t += stride;
    }
    v128.store(losses + j, sum);
    v128.store(biasGradient + j, gradient);
  }
}
