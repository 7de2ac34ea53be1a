/** The optimiser: norm of the whole gradient, and Adam (Kingma and Ba 2015) with clipping and weight decay. */
import { multiplyAdd, sumOfLanes } from './elementary';

/** Sum of the squares of `count` values, a multiple of 16. */
export function sumOfSquares(values: usize, count: i32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = values + (<usize>count << 2);
  while (values < end) {
    const w = v128.load(values);
    const x = v128.load(values, 16);
    const y = v128.load(values, 32);
    const z = v128.load(values, 48);
    a = multiplyAdd(w, w, a);
    b = multiplyAdd(x, x, b);
    c = multiplyAdd(y, y, c);
    d = multiplyAdd(z, z, d);
    values += 64;
  }
  return sumOfLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/**
 * One step of Adam over `count` values (a multiple of 8), with moments 0.9 and 0.999. The gradient is first
 * multiplied by `clip`. `l2` is added to the gradient as l2 * parameter (torch's Adam); `kept` multiplies the
 * parameter itself (1 - rate * decay for AdamW, else 1). Bias corrections are folded into the two last arguments:
 *   rate * m^ / (sqrt(v^) + eps) = step * m / (sqrt(v) + epsilon)
 * with step = rate * sqrt(1 - 0.999^t) / (1 - 0.9^t) and epsilon = eps * sqrt(1 - 0.999^t).
 *
 * Square roots and divisions take most of the time, and the CPU does one after the other. So two vectors share a
 * division: 1 / x = y / (x y) and 1 / y = x / (x y). Products of two denominators stay far within single precision.
 */
export function adam(
  parameters: usize, gradient: usize, first: usize, second: usize, count: i32,
  clip: f32, l2: f32, kept: f32, step: f32, epsilon: f32,
): void {
  const c = f32x4.splat(clip);
  const l = f32x4.splat(l2);
  const k = f32x4.splat(kept);
  const minusStep = f32x4.splat(-step);
  const e = f32x4.splat(epsilon);
  const end = <usize>count << 2;
  for (let i: usize = 0; i < end; i += 32) {
    const p0 = v128.load(parameters + i);
    const p1 = v128.load(parameters + i, 16);
    const g0 = multiplyAdd(l, p0, f32x4.mul(c, v128.load(gradient + i)));
    const g1 = multiplyAdd(l, p1, f32x4.mul(c, v128.load(gradient + i, 16)));
    const m0 = moveMean(first + i, g0);
    const m1 = moveMean(first + i + 16, g1);
    const x = f32x4.add(f32x4.sqrt(moveSquare(second + i, g0)), e);
    const y = f32x4.add(f32x4.sqrt(moveSquare(second + i + 16, g1)), e);
    const both = f32x4.div(minusStep, f32x4.mul(x, y));
    v128.store(parameters + i, multiplyAdd(f32x4.mul(m0, y), both, f32x4.mul(p0, k)));
    v128.store(parameters + i, multiplyAdd(f32x4.mul(m1, x), both, f32x4.mul(p1, k)), 16);
  }
}

/** Moves a first moment towards the gradient. */
// @ts-ignore: decorator
@inline
function moveMean(mean: usize, gradient: v128): v128 {
  const old = v128.load(mean);
  const moved = multiplyAdd(f32x4.splat(0.1), f32x4.sub(gradient, old), old);
  v128.store(mean, moved);
  return moved;
}

/** Moves a second moment towards the square of the gradient. */
// @ts-ignore: decorator
@inline
function moveSquare(square: usize, gradient: v128): v128 {
  const share = f32x4.mul(f32x4.mul(gradient, gradient), f32x4.splat(0.001));
  const moved = multiplyAdd(f32x4.splat(0.999), v128.load(square), share);
  v128.store(square, moved);
  return moved;
}
