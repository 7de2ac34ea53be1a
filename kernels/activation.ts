/** ReLU with the affine map of batch normalisation before it and dropout (Srivastava et al. 2014) after it. */
import { multiplyAdd } from './elementary';

const BLOCK_ROWS: i32 = 16;

/** a = max(0, z * scale + shift), columns a multiple of 4. */
export function activate(z: usize, a: usize, rows: i32, columns: i32, scale: usize, shift: usize): void {
  const stride = <usize>columns << 2;
  const zero = f32x4.splat(0);
  for (let j: usize = 0; j < stride; j += 16) {
    const s = v128.load(scale + j);
    const t = v128.load(shift + j);
    let p = j;
    for (let r = 0; r < rows; r++) {
      v128.store(a + p, f32x4.pmax(zero, multiplyAdd(v128.load(z + p), s, t)));
      p += stride;
    }
  }
}

/**
 * a = dropout(max(0, z * scale + shift)), columns a multiple of 8. A unit is dropped if its 16 random bits are below
 * `threshold` (the rate times 65536), else multiplied by `keep`. The bits come from four xorshift generators
 * (Marsaglia 2003, 13-17-5) whose state of 16 bytes stands at `state`; each step serves eight units of a row, blocks
 * of 16 rows by 8 columns one after the other.
 */
export function activateWithDropout(
  z: usize, a: usize, rows: i32, columns: i32, scale: usize, shift: usize, state: usize, threshold: i32, keep: f32,
): void {
  const stride = <usize>columns << 2;
  const zero = f32x4.splat(0);
  const k = f32x4.splat(keep);
  const limit = i16x8.splat(<i16>threshold);
  let bits = v128.load(state);
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const height = min(BLOCK_ROWS, rows - row);
    for (let j: usize = 0; j < stride; j += 32) {
      // keep > 0 passes through the ReLU, so it is folded into the map.
      const s0 = f32x4.mul(k, v128.load(scale + j));
      const s1 = f32x4.mul(k, v128.load(scale + j, 16));
      const t0 = f32x4.mul(k, v128.load(shift + j));
      const t1 = f32x4.mul(k, v128.load(shift + j, 16));
      let p = <usize>row * stride + j;
      for (let r = 0; r < height; r++) {
        bits = v128.xor(bits, i32x4.shl(bits, 13));
        bits = v128.xor(bits, i32x4.shr_u(bits, 17));
        bits = v128.xor(bits, i32x4.shl(bits, 5));
        const kept = i16x8.ge_u(bits, limit);
        const a0 = f32x4.pmax(zero, multiplyAdd(v128.load(z + p), s0, t0));
        const a1 = f32x4.pmax(zero, multiplyAdd(v128.load(z + p, 16), s1, t1));
        v128.store(a + p, v128.and(a0, i32x4.extend_low_i16x8_s(kept)));
        v128.store(a + p, v128.and(a1, i32x4.extend_high_i16x8_s(kept)), 16);
        p += stride;
      }
    }
  }
  v128.store(state, bits);
}
