/** exp and log of four single-precision numbers, from additions and products alone: equal bits on every machine. */

// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/** e to the x, relative error about 1e-7 (polynomial of the Cephes library); x is held within [-87, 88]. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const held = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88));
  const n = f32x4.nearest(f32x4.mul(held, f32x4.splat(1.44269504)));
  const high = f32x4.sub(held, f32x4.mul(n, f32x4.splat(0.693359375)));
  const r = f32x4.sub(high, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
  let y = multiplyAdd(f32x4.splat(1.98756915e-4), r, f32x4.splat(1.39819995e-3));
  y = multiplyAdd(y, r, f32x4.splat(8.33345191e-3));
  y = multiplyAdd(y, r, f32x4.splat(4.16657959e-2));
  y = multiplyAdd(y, r, f32x4.splat(1.66666655e-1));
  y = multiplyAdd(y, r, f32x4.splat(0.5));
  y = f32x4.add(multiplyAdd(y, f32x4.mul(r, r), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(y, power);
}

/** Natural logarithm of normal positive numbers, relative error about 1e-7 (polynomial of the Cephes library). */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const half = f32x4.splat(0.70710678);
  const one = f32x4.splat(1);
  // x = m 2^n with m in [1/2, 1); below sqrt(1/2), m is doubled so that m - 1 stays small.
  let n = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(x, 23), i32x4.splat(126)));
  const m = v128.or(v128.and(x, i32x4.splat(0x007fffff)), f32x4.splat(0.5));
  const small = f32x4.lt(m, half);
  n = f32x4.sub(n, v128.and(small, one));
  const f = f32x4.add(f32x4.sub(m, one), v128.and(small, m));
  const square = f32x4.mul(f, f);
  let y = multiplyAdd(f32x4.splat(7.0376836292e-2), f, f32x4.splat(-1.151461031e-1));
  y = multiplyAdd(y, f, f32x4.splat(1.167699874e-1));
  y = multiplyAdd(y, f, f32x4.splat(-1.2420140846e-1));
  y = multiplyAdd(y, f, f32x4.splat(1.4249322787e-1));
  y = multiplyAdd(y, f, f32x4.splat(-1.6668057665e-1));
  y = multiplyAdd(y, f, f32x4.splat(2.0000714765e-1));
  y = multiplyAdd(y, f, f32x4.splat(-2.4999993993e-1));
  y = multiplyAdd(y, f, f32x4.splat(3.3333331174e-1));
  y = f32x4.mul(f32x4.mul(y, f), square);
  y = multiplyAdd(n, f32x4.splat(-2.12194440e-4), y);
  y = f32x4.sub(y, f32x4.mul(f32x4.splat(0.5), square));
  return f32x4.add(f32x4.add(f, y), f32x4.mul(n, f32x4.splat(0.693359375)));
}

/** Sum of the four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sumOfLanes(x: v128): f32 {
  const left = f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1);
  return left + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3);
}
