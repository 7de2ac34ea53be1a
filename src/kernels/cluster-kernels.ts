/** Kernels behind clusters, anomalies and principal components; what they do stands beside their sources. */
import type { Pointer } from './kernels.ts';

/** Rows that `packRowBlocks` puts into one block. */
export const BLOCK_ROWS = 256;

export interface ClusterKernels {
  packRowBlocks(
    rows: Pointer,
    count: number,
    columns: number,
    means: Pointer,
    scale: number,
    blocks: Pointer,
    norms: Pointer,
  ): void;
  packChosenRows(
    rows: Pointer,
    columns: number,
    means: Pointer,
    scale: number,
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
    columns: number,
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
    scale: number,
    sums: Pointer,
    sizes: Pointer,
  ): number;
  kMeansSums(rows: Pointer, count: number, columns: number, labels: Pointer, sums: Pointer): void;
  kMeansSquared(
    rows: Pointer,
    count: number,
    columns: number,
    labels: Pointer,
    centres: Pointer,
    squared: Pointer,
  ): void;
  kMeansLeft(
    blocks: Pointer,
    count: number,
    columns: number,
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
