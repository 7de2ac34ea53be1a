/** Kernels on rows in leaves: neighbours and dense regions; what they do stands beside their sources. */
import type { Pointer } from './kernels.ts';

export interface LeafKernels {
  cutLeaves(
    values: Pointer,
    rows: number,
    columns: number,
    leafRows: number,
    places: Pointer,
    scratch: Pointer,
    sizes: Pointer,
  ): number;
  makeLeaves(
    count: number,
    columns: number,
    pitch: number,
    sizes: Pointer,
    rowOf: Pointer,
    rows: Pointer,
    lanes: Pointer,
    exact: Pointer,
    boxes: Pointer,
  ): Pointer;
  layLeaves(leaves: Pointer, values: Pointer, places: Pointer, factor: number): void;
  makeSearch(
    leaves: Pointer,
    k: number,
    capacity: number,
    scale: number,
    lowNorms: Pointer,
    margins: Pointer,
    leafMargins: Pointer,
    candidates: Pointer,
    scores: Pointer,
    panel: Pointer,
    visits: Pointer,
  ): Pointer;
  beginLeaf(search: Pointer, leaf: number): void;
  visitedLeaf(search: Pointer, turn: number): number;
  listActive(search: Pointer, other: number): number;
  activeRows(search: Pointer, count: number): Pointer;
  takeScores(search: Pointer, other: number, count: number): void;
  finishRow(search: Pointer, row: number, rows: Pointer, squared: Pointer): void;
  makeRegion(
    leaves: Pointer,
    squaredEps: number,
    lows: Pointer,
    highs: Pointer,
    core: Pointer,
    parents: Pointer,
  ): Pointer;
  countLeaf(region: Pointer, leaf: number, minPoints: number, kept: Pointer, ends: Pointer): void;
  beginUnions(region: Pointer): void;
  uniteWithin(region: Pointer, leaf: number): void;
  uniteAcross(region: Pointer, leaf: number): void;
  rootOf(region: Pointer, slot: number): number;
  labelAround(
    region: Pointer,
    labels: Pointer,
    leafLabels: Pointer,
    row: Pointer,
    exact: Pointer,
    low: number,
    high: number,
  ): number;
}
