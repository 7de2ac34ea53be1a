/** Scores of an isolation forest on the kernels: trees as tables of nodes, rows in pieces. */
import { Arena } from '../../kernels/arena.ts';
import { makeKernels } from '../../kernels/kernels.ts';
import type { Points } from '../feature-space.ts';
import type { Tree } from './isolation-forest.ts';

const NODE_BYTES = 16;
/** Rows that go through all trees together: they and a tree stay in the cache. */
const PIECE = 1024;

/**
 * Sum over trees of the length of the leaf that each row reaches, trees in their order: the bits of
 * `plainLengths` in isolation-forest.ts.
 */
export function pathLengths(trees: readonly Tree[], { rows, columns, values }: Points): Float64Array {
  const kernels = makeKernels();
  const nodes = trees.reduce((sum, { feature }) => sum + feature.length, 0);
  const at = new Arena(kernels).lay({
    nodes: nodes * NODE_BYTES,
    lengths: nodes * 8,
    rows: PIECE * columns * 8,
    totals: PIECE * 8,
  });
  const { buffer } = kernels.memory;
  const view = new DataView(buffer);
  const placed: { first: number; depth: number }[] = [];
  let first = 0;
  for (const tree of trees) {
    placed.push({ first, depth: layTree(tree, view, at.nodes + first * NODE_BYTES, at.lengths + first * 8) });
    first += tree.feature.length;
  }
  const piece = new Float64Array(buffer, at.rows, PIECE * columns);
  const totals = new Float64Array(buffer, at.totals, PIECE);
  const out = new Float64Array(rows);
  for (let from = 0; from < rows; from += PIECE) {
    const count = Math.min(PIECE, rows - from);
    piece.set(values.subarray(from * columns, (from + count) * columns));
    totals.fill(0);
    for (const tree of placed)
      kernels.isolationLengths(
        at.rows,
        count,
        columns,
        at.nodes + tree.first * NODE_BYTES,
        at.lengths + tree.first * 8,
        tree.depth,
        at.totals,
      );
    out.set(totals.subarray(0, count), from);
  }
  return out;
}

/** Writes a tree level by level, siblings side by side; returns its depth. */
function layTree(
  { feature, split, left, right, length }: Tree,
  view: DataView,
  nodes: number,
  lengths: number,
): number {
  let depth = 0;
  const queue = [{ node: 0, depth: 0 }];
  for (let place = 0; place < queue.length; place++) {
    const { node, depth: here } = queue[place] as { node: number; depth: number };
    const column = feature[node] as number;
    const at = nodes + place * NODE_BYTES;
    const leaf = column < 0;
    depth = Math.max(depth, here);
    view.setFloat64(at, leaf ? Infinity : (split[node] as number), true);
    view.setUint32(at + 8, leaf ? 0 : column * 8, true);
    view.setUint32(at + 12, (leaf ? place : queue.length) * NODE_BYTES, true);
    view.setFloat64(lengths + place * 8, length[node] as number, true);
    if (leaf) continue;
    queue.push({ node: left[node] as number, depth: here + 1 }, { node: right[node] as number, depth: here + 1 });
  }
  return depth;
}
