/** Isolation forest: rows that random cuts set apart soon are unusual (Liu, Ting, Zhou, ICDM 2008). */
import { z } from 'zod';
import { exp, log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import type { Frame } from '../../tables/frame.ts';
import { type FeatureSpace, featureSpaceSchema, type Points, parseModel, pointsOf } from '../feature-space.ts';
import { pathLengths } from './isolation-paths.ts';

const treeSchema = z
  .strictObject({
    /** Column that a node cuts; -1 is a leaf. */
    feature: z.array(z.int().min(-1)),
    /** Values up to this one go left. */
    split: z.array(z.number()),
    left: z.array(z.int().min(0)),
    right: z.array(z.int().min(0)),
    /** Of leaves: cuts on the way here and those still expected among the rows left. */
    length: z.array(z.number().min(0)),
  })
  .refine(
    ({ feature, split, left, right, length }) =>
      feature.length > 0 &&
      [split, left, right, length].every((list) => list.length === feature.length) &&
      // Children come after their parent, so that every path ends.
      feature.every(
        (one, node) =>
          one < 0 || [left[node], right[node]].every((child = 0) => child > node && child < feature.length),
      ),
    'a node leads nowhere',
  );

/** One isolation tree; node 0 is the root. */
export type Tree = z.infer<typeof treeSchema>;

export interface Forest {
  readonly trees: readonly Tree[];
  /** Rows behind each tree. */
  readonly sampleSize: number;
}

const EULER = 0.5772156649015329;

/** Mean cuts until one of `n` rows is alone, as in a failed search in a binary search tree (eq. 1 of the paper). */
export function expectedCuts(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (log(n - 1) + EULER) - (2 * (n - 1)) / n;
}

/** @param onTree called before each tree; may throw to stop */
export function growForest(
  points: Points,
  options: { readonly trees: number; readonly sampleSize: number },
  rng: Rng,
  onTree: (done: number, total: number) => void = () => undefined,
): Forest {
  const sampleSize = Math.min(options.sampleSize, points.rows);
  let limit = 0;
  while (1 << limit < sampleSize) limit++;
  const rows = Int32Array.from({ length: points.rows }, (_, i) => i);
  const trees: Tree[] = [];
  for (let t = 0; t < options.trees; t++) {
    onTree(t, options.trees);
    for (let i = 0; i < sampleSize; i++) {
      const j = i + rng.below(points.rows - i);
      const held = rows[i] as number;
      rows[i] = rows[j] as number;
      rows[j] = held;
    }
    trees.push(growTree(points, rows.slice(0, sampleSize), limit, rng));
  }
  return { trees, sampleSize };
}

function growTree({ columns, values }: Points, rows: Int32Array, limit: number, rng: Rng): Tree {
  const tree: Tree = { feature: [], split: [], left: [], right: [], length: [] };
  const grow = (part: Int32Array, depth: number): number => {
    const node = tree.feature.length;
    tree.feature.push(-1);
    tree.split.push(0);
    tree.left.push(0);
    tree.right.push(0);
    tree.length.push(depth + expectedCuts(part.length));
    if (depth >= limit || part.length <= 1) return node;
    const cut = randomCut(part, columns, values, rng);
    if (cut === undefined) return node;
    const goesLeft = (row: number): boolean => (values[row * columns + cut.column] as number) <= cut.at;
    tree.feature[node] = cut.column;
    tree.split[node] = cut.at;
    tree.length[node] = 0;
    tree.left[node] = grow(part.filter(goesLeft), depth + 1);
    tree.right[node] = grow(
      part.filter((row) => !goesLeft(row)),
      depth + 1,
    );
    return node;
  };
  grow(rows, 0);
  return tree;
}

/** A uniform cut in a column, drawn among those in which the rows differ. */
function randomCut(
  part: Int32Array,
  columns: number,
  values: Float64Array,
  rng: Rng,
): { column: number; at: number } | undefined {
  const open = Int32Array.from({ length: columns }, (_, c) => c);
  for (let left = columns; left > 0; left--) {
    const pick = rng.below(left);
    const column = open[pick] as number;
    open[pick] = open[left - 1] as number;
    let low = Infinity;
    let high = -Infinity;
    for (const row of part) {
      const value = values[row * columns + column] as number;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low === high) continue;
    const at = low + rng.uniform() * (high - low);
    // Rounding may reach the top, which would leave nothing on the right.
    return { column, at: at < high ? at : low };
  }
  return undefined;
}

/** Lengths of paths in plain loops: what the kernel is tested against. */
export function plainLengths(trees: readonly Tree[], { rows, columns, values }: Points): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (const tree of trees) {
      let node = 0;
      for (let feature = tree.feature[0] as number; feature >= 0; feature = tree.feature[node] as number) {
        const goesLeft = (values[row * columns + feature] as number) <= (tree.split[node] as number);
        node = (goesLeft ? tree.left[node] : tree.right[node]) as number;
      }
      sum += tree.length[node] as number;
    }
    return sum;
  });
}

/** 2^(-E / c), E the mean length of the row's paths: near 1 unusual, 0.5 and below ordinary (eq. 2 of the paper). */
export function scoresOf({ trees, sampleSize }: Forest, points: Points): Float64Array {
  const usual = expectedCuts(sampleSize);
  if (!(usual > 0)) return new Float64Array(points.rows).fill(0.5);
  return pathLengths(trees, points).map((sum) => exp((-Math.LN2 * sum) / trees.length / usual));
}

const schema = z
  .strictObject({
    schema: z.literal('fathom.isolation-forest'),
    version: z.literal(1),
    space: featureSpaceSchema,
    sampleSize: z.int().min(1),
    /** Scores above it are called anomalous. */
    threshold: z.number(),
    trees: z.array(treeSchema).min(1),
  })
  .refine(
    ({ space, trees }) => trees.every((tree) => tree.feature.every((column) => column < space.features.length)),
    'a tree cuts a feature that there is not',
  );

export type ForestModel = z.infer<typeof schema>;

export function forestModel(space: FeatureSpace, { trees, sampleSize }: Forest, threshold: number): ForestModel {
  return { schema: 'fathom.isolation-forest', version: 1, space, sampleSize, threshold, trees: [...trees] };
}

export function parseForest(text: string): ForestModel {
  return parseModel(schema, 'isolation forest', text);
}

/** Scores of all rows of a frame, and which of them lie above the model's threshold. */
export function scoreForest(model: ForestModel, frame: Frame): { scores: Float64Array; anomalous: Uint8Array } {
  const scores = scoresOf(model, pointsOf(model.space, frame));
  return { scores, anomalous: Uint8Array.from(scores, (score) => (score > model.threshold ? 1 : 0)) };
}
