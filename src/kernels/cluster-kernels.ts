/** Kernels behind clusters, anomalies and principal components; what they do stands beside their sources. */
import type { Pointer } from './kernels.ts';

/** Rows of a block that `turnRows` fills, and over which `kMeansLeft` sums. */
export const BLOCK_ROWS = 256;

export interface ClusterKernels {
  packRows(
    rows: Pointer,
    count: number,
    columns: number,
    padded: number,
    means: Pointer,
    scale: number,
    target: Pointer,
  ): number;
  turnRows(
    rows: Pointer,
    padded: number,
    first: number,
    indices: Pointer,
    count: number,
    block: Pointer,
    norms: Pointer,
  ): void;
  kMeansNearest(
    block: Pointer,
    norms: Pointer,
    rows: number,
    columns: number,
    centres: Pointer,
    centreNorms: Pointer,
    groups: number,
    lossFactor: number,
    lossOffset: number,
    best: Pointer,
    gaps: Pointer,
  ): void;
  kMeansSelect(
    scores: Pointer,
    norms: Pointer,
    rows: number,
    centreNorms: Pointer,
    k: number,
    lossFactor: number,
    lossOffset: number,
    best: Pointer,
    gaps: Pointer,
  ): void;
  kMeansDue(count: number, labels: Pointer, deadlines: Pointer, drifts: Pointer, indices: Pointer): number;
  kMeansSettle(
    rows: Pointer,
    padded: number,
    first: number,
    indices: Pointer,
    count: number,
    best: Pointer,
    gaps: Pointer,
    labels: Pointer,
    deadlines: Pointer,
    drifts: Pointer,
    centres: Pointer,
    k: number,
    sums: Pointer,
    sizes: Pointer,
    undecided: Pointer,
  ): number;
  kMeansUndecided(): number;
  kMeansLeft(
    rows: Pointer,
    count: number,
    padded: number,
    point: Pointer,
    held: Pointer,
    left: Pointer,
    sums: Pointer,
  ): void;
  isolationLengths(
    rows: Pointer,
    count: number,
    columns: number,
    nodes: Pointer,
    lengths: Pointer,
    depth: number,
    totals: Pointer,
  ): void;
  centreColumns(rows: Pointer, count: number, columns: number, stride: number, target: Pointer, means: Pointer): void;
  addProducts(columns: Pointer, count: number, stride: number, size: number, products: Pointer): void;
  projectRows(
    rows: Pointer,
    count: number,
    columns: number,
    means: Pointer,
    vectors: Pointer,
    pairs: number,
    scores: Pointer,
  ): void;
}
