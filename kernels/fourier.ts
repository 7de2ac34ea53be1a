/**
 * Fourier transforms of complex numbers, two at a time: a vector of four lanes is two complex numbers, which belong to
 * two transforms that go side by side. Stockham's algorithm (Van Loan, "Computational Frameworks for the Fast Fourier
 * Transform", 1.7): every stage reads one buffer and writes the other, and the result comes out in order.
 */

/** What transforms of one length share: its factors (2, 3, 4, 5; then 0) and cos and sin of 2 pi i / length. */
// @ts-ignore: decorator
@unmanaged
export class Transform {
  length: i32;
  factors: usize;
  /** length floats. */
  cosines: usize;
  /** length pairs: (sin, -sin) for the transform, (-sin, sin) for its inverse. */
  sines: usize;
  /** Times -i for the transform, times i for its inverse, as signs of the swapped parts: -1 or 1. */
  sign: f32;
}

/** Imaginary and real part of both numbers, exchanged. */
// @ts-ignore: decorator
@inline
function swapped(a: v128): v128 {
  return i8x16.shuffle(a, a, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
}

/** Both numbers times the root of unity whose cosine and pair of sines these are. */
// @ts-ignore: decorator
@inline
function turned(a: v128, cosine: v128, sines: v128): v128 {
  return f32x4.add(f32x4.mul(a, cosine), f32x4.mul(swapped(a), sines));
}

// @ts-ignore: decorator
@inline
function cosineAt(t: Transform, i: i32): v128 {
  return v128.load32_splat(t.cosines + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function sinesAt(t: Transform, i: i32): v128 {
  return v128.load64_splat(t.sines + (<usize>i << 3));
}

/**
 * Transforms `t.length` vectors at `from`; `other` is a buffer of the same size, and both are written.
 * @returns which of the two holds the result
 */
export function transform(from: usize, other: usize, t: Transform): usize {
  let done = 1;
  let left = t.length;
  const rotate = f32x4.mul(f32x4(1, -1, 1, -1), f32x4.splat(t.sign));
  for (let factor = t.factors; ; factor += 4) {
    const radix = load<i32>(factor);
    if (radix == 0) break;
    left /= radix;
    if (radix == 4) stage4(from, other, done, left, t, rotate);
    else if (radix == 2) stage2(from, other, done, left, t);
    else if (radix == 3) stage3(from, other, done, left, t, rotate);
    else stage5(from, other, done, left, t, rotate);
    done *= radix;
    const written = other;
    other = from;
    from = written;
  }
  return from;
}

// In each stage `done` neighbouring values belong together and are treated alike; inputs of a butterfly lie
// `done * left` apart, its outputs `done`.

function stage2(from: usize, to: usize, done: i32, left: i32, t: Transform): void {
  const run = <usize>done << 4;
  const apart = run * left;
  for (let p = 0; p < left; p++) {
    const c1 = cosineAt(t, p * done);
    const s1 = sinesAt(t, p * done);
    const end = from + run;
    for (; from < end; from += 16, to += 16) {
      const a = v128.load(from);
      const b = v128.load(from + apart);
      v128.store(to, f32x4.add(a, b));
      v128.store(to + run, turned(f32x4.sub(a, b), c1, s1));
    }
    to += run;
  }
}

function stage3(from: usize, to: usize, done: i32, left: i32, t: Transform, rotate: v128): void {
  const run = <usize>done << 4;
  const apart = run * left;
  const half = f32x4.splat(-0.5);
  const height = f32x4.mul(rotate, f32x4.splat(0.8660254));
  for (let p = 0; p < left; p++) {
    const i = p * done;
    const c1 = cosineAt(t, i);
    const s1 = sinesAt(t, i);
    const c2 = cosineAt(t, 2 * i);
    const s2 = sinesAt(t, 2 * i);
    const end = from + run;
    for (; from < end; from += 16, to += 16) {
      const a = v128.load(from);
      const b = v128.load(from + apart);
      const c = v128.load(from + 2 * apart);
      const sum = f32x4.add(b, c);
      const middle = f32x4.add(a, f32x4.mul(sum, half));
      const across = f32x4.mul(swapped(f32x4.sub(b, c)), height);
      v128.store(to, f32x4.add(a, sum));
      v128.store(to + run, turned(f32x4.add(middle, across), c1, s1));
      v128.store(to + 2 * run, turned(f32x4.sub(middle, across), c2, s2));
    }
    to += 2 * run;
  }
}

function stage4(from: usize, to: usize, done: i32, left: i32, t: Transform, rotate: v128): void {
  const run = <usize>done << 4;
  const apart = run * left;
  for (let p = 0; p < left; p++) {
    const i = p * done;
    const c1 = cosineAt(t, i);
    const s1 = sinesAt(t, i);
    const c2 = cosineAt(t, 2 * i);
    const s2 = sinesAt(t, 2 * i);
    const c3 = cosineAt(t, 3 * i);
    const s3 = sinesAt(t, 3 * i);
    const end = from + run;
    for (; from < end; from += 16, to += 16) {
      const a = v128.load(from);
      const b = v128.load(from + apart);
      const c = v128.load(from + 2 * apart);
      const d = v128.load(from + 3 * apart);
      const sumAC = f32x4.add(a, c);
      const sumBD = f32x4.add(b, d);
      const gapAC = f32x4.sub(a, c);
      const gapBD = f32x4.mul(swapped(f32x4.sub(b, d)), rotate);
      v128.store(to, f32x4.add(sumAC, sumBD));
      v128.store(to + run, turned(f32x4.add(gapAC, gapBD), c1, s1));
      v128.store(to + 2 * run, turned(f32x4.sub(sumAC, sumBD), c2, s2));
      v128.store(to + 3 * run, turned(f32x4.sub(gapAC, gapBD), c3, s3));
    }
    to += 3 * run;
  }
}

function stage5(from: usize, to: usize, done: i32, left: i32, t: Transform, rotate: v128): void {
  const run = <usize>done << 4;
  const apart = run * left;
  // Cosines and sines of 72 and 144 degrees.
  const cos72 = f32x4.splat(0.30901699);
  const cos144 = f32x4.splat(-0.80901699);
  const sin72 = f32x4.splat(0.95105652);
  const sin144 = f32x4.splat(0.58778525);
  for (let p = 0; p < left; p++) {
    const i = p * done;
    const c1 = cosineAt(t, i);
    const s1 = sinesAt(t, i);
    const c2 = cosineAt(t, 2 * i);
    const s2 = sinesAt(t, 2 * i);
    const c3 = cosineAt(t, 3 * i);
    const s3 = sinesAt(t, 3 * i);
    const c4 = cosineAt(t, 4 * i);
    const s4 = sinesAt(t, 4 * i);
    const end = from + run;
    for (; from < end; from += 16, to += 16) {
      const a = v128.load(from);
      const b = v128.load(from + apart);
      const c = v128.load(from + 2 * apart);
      const d = v128.load(from + 3 * apart);
      const e = v128.load(from + 4 * apart);
      const sumBE = f32x4.add(b, e);
      const sumCD = f32x4.add(c, d);
      const gapBE = f32x4.mul(swapped(f32x4.sub(b, e)), rotate);
      const gapCD = f32x4.mul(swapped(f32x4.sub(c, d)), rotate);
      const near = f32x4.add(a, f32x4.add(f32x4.mul(sumBE, cos72), f32x4.mul(sumCD, cos144)));
      const far = f32x4.add(a, f32x4.add(f32x4.mul(sumBE, cos144), f32x4.mul(sumCD, cos72)));
      const acrossNear = f32x4.add(f32x4.mul(gapBE, sin72), f32x4.mul(gapCD, sin144));
      const acrossFar = f32x4.sub(f32x4.mul(gapBE, sin144), f32x4.mul(gapCD, sin72));
      v128.store(to, f32x4.add(a, f32x4.add(sumBE, sumCD)));
      v128.store(to + run, turned(f32x4.add(near, acrossNear), c1, s1));
      v128.store(to + 2 * run, turned(f32x4.add(far, acrossFar), c2, s2));
      v128.store(to + 3 * run, turned(f32x4.sub(far, acrossFar), c3, s3));
      v128.store(to + 4 * run, turned(f32x4.sub(near, acrossNear), c4, s4));
    }
    to += 4 * run;
  }
}
