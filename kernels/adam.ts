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
 * One step of Adam over `count` values (a multiple of 4), with moments 0.9 and 0.999. The gradient is first
 * multiplied by `clip`. `l2` is added to the gradient as l2 * parameter (torch's Adam); `kept` multiplies the
 * parameter itself (1 - rate * decay for AdamW, else 1). Bias corrections are folded into the two last arguments:
 *   rate * m^ / (sqrt(v^) + eps) = step * m / (sqrt(v) + epsilon)
 * with step = rate * sqrt(1 - 0.999^t) / (1 - 0.9^t) and epsilon = eps * sqrt(1 - 0.999^t).
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
  for (let i: usize = 0; i < end; i += 16) {
    const p = v128.load(parameters + i);
    const g = multiplyAdd(l, p, f32x4.mul(c, v128.load(gradient + i)));
    const m0 = v128.load(first + i);
    const m = multiplyAdd(f32x4.splat(0.1), f32x4.sub(g, m0), m0);
    const g2 = f32x4.mul(f32x4.mul(g, g), f32x4.splat(0.001));
    const v = multiplyAdd(f32x4.splat(0.999), v128.load(second + i), g2);
    v128.store(first + i, m);
    v128.store(second + i, v);
    const move = f32x4.div(m, f32x4.add(f32x4.sqrt(v), e));
    v128.store(parameters + i, multiplyAdd(minusStep, move, f32x4.mul(p, k)));
  }
}
