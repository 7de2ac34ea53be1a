/**
 * Packing: the operands of a product laid out in the order in which the inner loop reads them. A *group* is four
 * lanes wide; for every depth k it holds the lanes' four values side by side. Absent lanes become zeros.
 */

/** Lanes are neighbours in memory: value (k, lane) at source + k * stride + lane. `step` is bytes from k to k + 1. */
export function packNeighbours(source: usize, stride: usize, lanes: i32, depth: i32, target: usize, step: usize): void {
  if (lanes >= 4) {
    for (let k = 0; k < depth; k++) {
      v128.store(target, v128.load(source));
      source += stride;
      target += step;
    }
    return;
  }
  for (let k = 0; k < depth; k++) {
    for (let lane = 0; lane < 4; lane++) {
      const offset = <usize>lane << 2;
      store<f32>(target + offset, lane < lanes ? load<f32>(source + offset) : 0);
    }
    source += stride;
    target += step;
  }
}

/** Lanes are rows of a matrix: value (k, lane) at source + lane * stride + k. Four rows are transposed at a time. */
export function packRows(source: usize, stride: usize, lanes: i32, depth: i32, target: usize, step: usize): void {
  let k = 0;
  if (lanes >= 4) {
    const row1 = source + stride;
    const row2 = row1 + stride;
    const row3 = row2 + stride;
    for (; k + 4 <= depth; k += 4) {
      const offset = <usize>k << 2;
      const a = v128.load(source + offset);
      const b = v128.load(row1 + offset);
      const c = v128.load(row2 + offset);
      const d = v128.load(row3 + offset);
      const lowAB = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const highAB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const lowCD = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const highCD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f32>(lowAB, lowCD, 0, 1, 4, 5));
      target += step;
      v128.store(target, v128.shuffle<f32>(lowAB, lowCD, 2, 3, 6, 7));
      target += step;
      v128.store(target, v128.shuffle<f32>(highAB, highCD, 0, 1, 4, 5));
      target += step;
      v128.store(target, v128.shuffle<f32>(highAB, highCD, 2, 3, 6, 7));
      target += step;
    }
  }
  for (; k < depth; k++) {
    for (let lane = 0; lane < 4; lane++) {
      const at = source + <usize>lane * stride + (<usize>k << 2);
      store<f32>(target + (<usize>lane << 2), lane < lanes ? load<f32>(at) : 0);
    }
    target += step;
  }
}
