/** The grid on which t-SNE's repulsion is interpolated, and what its Fourier transforms need. */
import type { Pointer } from '../kernels/kernels.ts';
import type { Arena, SharedKernels } from '../kernels/shared-kernels.ts';

/** Fewest cells along an axis. */
const LEAST_CELLS = 40;
/** Nodes that a cubic spline needs beyond the cells that hold points: one before, two after. */
const MARGIN = 3;
const VECTOR_BYTES = 16;
const TRANSFORM_WORDS = 5;

/** The grid in memory; made anew whenever its size changes. */
export interface Grid {
  /** Along either axis. */
  readonly nodes: number;
  /** Distance between them, in units of the map. */
  readonly apart: number;
  /** Length of the transforms: twice the nodes, so that the convolution does not come round. */
  readonly length: number;
  readonly values: Pointer;
  readonly kernel: Pointer;
  readonly forward: Pointer;
  readonly inverse: Pointer;
  readonly scratch: Pointer;
}

/**
 * Nodes along an axis, such that the transforms have no factor but 2, 3 and 5. A function of the span alone, so that a
 * layout that is resumed gets the grids that it would have had.
 * @param span larger of the extents of the map along x and y
 */
export function gridNodes(span: number, apart: number): number {
  for (let nodes = Math.max(LEAST_CELLS, Math.ceil((span * 1.0001) / apart) + 1) + MARGIN; ; nodes++) {
    let rest = nodes;
    for (const factor of [2, 3, 5]) while (rest % factor === 0) rest /= factor;
    if (rest === 1) return nodes;
  }
}

/** @param threads each gets its own buffers */
export function makeGrid(kernels: SharedKernels, arena: Arena, nodes: number, apart: number, threads: number): Grid {
  const length = 2 * nodes;
  const values = arena.take(nodes * length * VECTOR_BYTES);
  const kernel = arena.take((nodes + 1) * length * 4);
  const scratch = arena.take(threads * 4 * length * VECTOR_BYTES);
  const { forward, inverse } = makeTransforms(arena, length);
  const grid: Grid = { nodes, apart, length, values, kernel, forward, inverse, scratch };
  transformKernel(kernels, arena, grid);
  return grid;
}

/** Descriptions of a transform and its inverse, as `kernels/fourier.ts` reads them. */
export function makeTransforms(arena: Arena, length: number): { forward: Pointer; inverse: Pointer } {
  const factors: number[] = [];
  let rest = length;
  for (const factor of [4, 2, 3, 5])
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  const factorsAt = arena.take(4 * (factors.length + 1));
  arena.words(factorsAt, factors.length + 1).set([...factors, 0]);
  const cosinesAt = arena.take(4 * length);
  const cosines = arena.floats(cosinesAt, length);
  const describe = (sign: 1 | -1): Pointer => {
    const sinesAt = arena.take(8 * length);
    const sines = arena.floats(sinesAt, 2 * length);
    for (let i = 0; i < length; i++) {
      const { cos, sin } = unitRoot(i, length);
      cosines[i] = cos;
      sines[2 * i] = sign * sin;
      sines[2 * i + 1] = -sign * sin;
    }
    const at = arena.take(4 * TRANSFORM_WORDS);
    arena.words(at, 4).set([length, factorsAt, cosinesAt, sinesAt]);
    arena.floats(at + 16, 1)[0] = sign;
    return at;
  };
  return { forward: describe(1), inverse: describe(-1) };
}

/**
 * Transform of the squared Student kernel, (1 + distance^2)^-2, between nodes; it is real and even. First along one
 * axis, then along the other, four lines at a time. Divided by the number of values, as the inverse asks for, and by the
 * transform of the spline, once for spreading and once for collecting: the splines then go through the kernel's values
 * at the nodes.
 */
function transformKernel(kernels: SharedKernels, arena: Arena, grid: Grid): void {
  const { length, apart, forward, scratch } = grid;
  const lines = length / 2 + 1;
  const other = scratch + length * VECTOR_BYTES;
  const half = new Float32Array(lines * length);
  const result = arena.floats(grid.kernel, lines * length);
  const along = (get: (line: number, i: number) => number, out: Float32Array, scale: number): void => {
    const buffer = arena.floats(scratch, 4 * length);
    for (let first = 0; first < lines; first += 4) {
      const count = Math.min(4, lines - first);
      for (let i = 0; i < length; i++)
        for (let lane = 0; lane < 4; lane++) buffer[4 * i + lane] = lane < count ? get(first + lane, i) : 0;
      const values = arena.floats(kernels.transform(scratch, other, forward) >>> 0, 4 * length);
      for (let lane = 0; lane < count; lane++)
        for (let i = 0; i < length; i++) out[(first + lane) * length + i] = (values[4 * i + lane] as number) * scale;
    }
  };
  along(
    (line, i) => {
      const dx = line * apart;
      const dy = Math.min(i, length - i) * apart;
      const q = 1 / (1 + dx * dx + dy * dy);
      return q * q;
    },
    half,
    1,
  );
  along((line, i) => half[Math.min(i, length - i) * length + line] as number, result, 1 / (length * length));
  // A cubic B-spline is 2/3 at its node and 1/6 at the next ones.
  const spline = Float64Array.from({ length }, (_, i) => (2 + unitRoot(i, length).cos) / 3);
  for (let line = 0; line < lines; line++)
    for (let i = 0; i < length; i++) {
      const both = (spline[line] as number) * (spline[i] as number);
      result[line * length + i] = (result[line * length + i] as number) / (both * both);
    }
}

/** cos and sin of 2 pi i / n from their series, by additions and products alone: equal bits everywhere. */
function unitRoot(i: number, n: number): { cos: number; sin: number } {
  // Turned by eighths: what is left is at most an eighth of a turn.
  const quarter = Math.round((4 * i) / n);
  const angle = (2 * Math.PI * (4 * i - quarter * n)) / (4 * n);
  const square = angle * angle;
  let cos = 0;
  let sin = 0;
  for (let term = 20; term >= 0; term -= 2) {
    cos = 1 - (square / ((term + 1) * (term + 2))) * cos;
    sin = 1 - (square / ((term + 2) * (term + 3))) * sin;
  }
  sin *= angle;
  if (quarter % 4 === 1) return { cos: -sin, sin: cos };
  if (quarter % 4 === 2) return { cos: -cos, sin: -sin };
  if (quarter % 4 === 3) return { cos: sin, sin: -cos };
  return { cos, sin };
}
