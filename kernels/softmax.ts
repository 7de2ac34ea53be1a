/** Multi-class heads: softmax outputs and cross-entropy over neighbouring columns of the matrix of outputs. */
import { exp4, log4 } from './elementary';

// @ts-ignore: decorator
@inline
function exp(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

// @ts-ignore: decorator
@inline
function log(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0);
}

/** Turns `classes` values at `row` into probabilities; returns the log of the sum of their exponentials. */
function normalise(row: usize, classes: i32): f32 {
  let largest = load<f32>(row);
  for (let c = 1; c < classes; c++) largest = max(largest, load<f32>(row + (<usize>c << 2)));
  let sum: f32 = 0;
  for (let c = 0; c < classes; c++) {
    const at = row + (<usize>c << 2);
    const e = exp(load<f32>(at) - largest);
    store<f32>(at, e);
    sum += e;
  }
  for (let c = 0; c < classes; c++) {
    const at = row + (<usize>c << 2);
    store<f32>(at, load<f32>(at) / sum);
  }
  return largest + log(sum);
}

/** Probabilities from values that hold the bias already (see `headOutputs`). */
export function softmaxOutputs(outputs: usize, rows: i32, columns: i32, first: i32, classes: i32): void {
  for (let i = 0; i < rows; i++) normalise(outputs + (<usize>(i * columns + first) << 2), classes);
}

/**
 * As `headGradients` for one multi-class head: columns `first` to `first + classes`. Targets are 1 for the class and
 * 0 for the others, or NaN. Writes the gradients over the pre-activations, that of the bias, and the summed loss of
 * every class to `losses`.
 */
export function softmaxGradients(
  outputs: usize, targets: usize, rows: i32, columns: i32, first: i32, classes: i32,
  bias: usize, biasGradient: usize, weights: usize, losses: usize,
): void {
  const start = <usize>first << 2;
  memory.fill(biasGradient + start, 0, <usize>classes << 2);
  memory.fill(losses + start, 0, <usize>classes << 2);
  const weight = load<f32>(weights + start);
  for (let i = 0; i < rows; i++) {
    const row = outputs + (<usize>(i * columns) << 2) + start;
    const target = targets + (<usize>(i * columns) << 2) + start;
    const known = load<f32>(target);
    if (known != known) {
      memory.fill(row, 0, <usize>classes << 2);
      continue;
    }
    let own: f32 = 0;
    let ownClass: usize = 0;
    for (let c = 0; c < classes; c++) {
      const at = <usize>c << 2;
      const z = load<f32>(row + at) + load<f32>(bias + start + at);
      store<f32>(row + at, z);
      if (load<f32>(target + at) > 0.5) {
        own = z;
        ownClass = at;
      }
    }
    const logSum = normalise(row, classes);
    const sum = losses + start + ownClass;
    store<f32>(sum, load<f32>(sum) + logSum - own);
    for (let c = 0; c < classes; c++) {
      const at = <usize>c << 2;
      const d = weight * (load<f32>(row + at) - load<f32>(target + at));
      store<f32>(row + at, d);
      const g = biasGradient + start + at;
      store<f32>(g, load<f32>(g) + d);
    }
  }
}
