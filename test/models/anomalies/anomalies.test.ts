import { describe, expect, it } from 'vitest';
import { scoreOf } from '../../../src/evaluation/measure.ts';
import { centroidModel, parseCentroid, scoreCentroid } from '../../../src/models/anomalies/centroid-distance.ts';
import {
  expectedCuts,
  type ForestModel,
  forestModel,
  growForest,
  parseForest,
  plainLengths,
  scoreForest,
  scoresOf,
} from '../../../src/models/anomalies/isolation-forest.ts';
import { pathLengths } from '../../../src/models/anomalies/isolation-paths.ts';
import { kMeansModel } from '../../../src/models/clusters/k-means-model.ts';
import { fitSpace, type Points } from '../../../src/models/feature-space.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { columnsOf } from '../../../src/tables/frame.ts';
import { shared, whyNoShared } from '../../support/shared.ts';
import { blobs, frameOf, reordered } from '../blobs.ts';
import { recorded } from '../recorded.ts';

type Tree = ForestModel['trees'][number];
const usual = { trees: 100, sampleSize: 256 };
const line = (...values: number[]): Points => ({ rows: values.length, columns: 1, values: Float64Array.from(values) });

describe('the isolation forest', () => {
  it('expects as many cuts as a search tree: c(n) = 2 H(n-1) - 2 (n-1) / n', () => {
    expect([0, 1, 2].map(expectedCuts)).toEqual([0, 0, 1]);
    let harmonic = 0;
    for (let i = 1; i < 256; i++) harmonic += 1 / i;
    // ln(n) + 0.5772 stands for the harmonic number, as in the paper: off by 1 / 2n.
    expect(expectedCuts(256)).toBeCloseTo(2 * harmonic - (2 * 255) / 256, 2);
    expect(expectedCuts(256)).toBeCloseTo(10.2448, 3);
  });

  it('scores by hand: of two rows each is alone after one cut, c(2) = 1', () => {
    const points = line(0, 1);
    const forest = growForest(points, usual, makeRng(1));
    expect(forest.sampleSize).toBe(2);
    for (const score of scoresOf(forest, points)) expect(score).toBeCloseTo(0.5, 14);
  });

  it('has paths that separate all rows where the depth allows', () => {
    const forest = growForest(line(1, 2, 4, 8), { trees: 50, sampleSize: 4 }, makeRng(1));
    for (const tree of forest.trees) {
      const leaves = tree.feature.flatMap((feature, node) => (feature < 0 ? [tree.length[node] as number] : []));
      expect(leaves.length).toBeGreaterThanOrEqual(3);
      // A leaf of two rows at the limit of 2 counts one more expected cut.
      expect(Math.max(...leaves)).toBeLessThanOrEqual(3);
      for (const [node, feature] of tree.feature.entries())
        if (feature >= 0) expect((tree.split[node] as number) >= 1 && (tree.split[node] as number) < 8).toBe(true);
    }
  });

  it('finds the row that lies apart, the same for a seed', () => {
    const points = blobs([[0, 0, 0]], 300);
    points.values.set([8, 8, 8], 3 * 17);
    const scores = scoresOf(growForest(points, usual, makeRng(1)), points);
    expect(scores.indexOf(Math.max(...scores))).toBe(17);
    expect(Math.max(...scores)).toBeGreaterThan(0.7);
    expect(scoresOf(growForest(points, usual, makeRng(1)), points)).toEqual(scores);
    expect(scoresOf(growForest(points, usual, makeRng(2)), points)).not.toEqual(scores);
    for (const score of scores) expect(score > 0 && score < 1).toBe(true);
  });

  it('does not care for the scale of a column, nor much for the order of rows', () => {
    const points = blobs([[0, 0]], 200);
    // A power of two: no rounding.
    const scaled = { ...points, values: points.values.map((value, i) => (i % 2 === 0 ? value * 1024 : value)) };
    const scores = scoresOf(growForest(points, usual, makeRng(1)), points);
    expect(scoresOf(growForest(scaled, usual, makeRng(1)), scaled)).toEqual(scores);
    const order = makeRng(4).shuffle(Array.from({ length: 200 }, (_, i) => i));
    const other = scoresOf(growForest(reordered(points, order), usual, makeRng(1)), points);
    for (const [i, score] of scores.entries()) expect(Math.abs(score - (other[i] as number))).toBeLessThan(0.08);
  });

  it.each([
    [1, 1, 5],
    [2, 7, 256],
    [13, 1029, 100],
    [3, 2, 2],
  ])('finds the paths of the plain loops on the kernel: %i columns, %i rows', (columns, rows, sampleSize) => {
    const points = blobs([Array.from({ length: columns }, (_, c) => c)], rows);
    // Values at a cut, and equal rows.
    points.values.copyWithin(0, (rows - 1) * columns);
    const { trees } = growForest(points, { trees: 12, sampleSize }, makeRng(rows));
    const beyond = { ...points, values: points.values.map((value, i) => (i % 5 === 0 ? -1e300 * value : value)) };
    for (const one of [points, beyond]) expect(pathLengths(trees, one)).toEqual(plainLengths(trees, one));
  });

  it('calls equal rows ordinary', () => {
    const points = line(3, 3, 3, 3, 3);
    for (const score of scoresOf(growForest(points, usual, makeRng(1)), points)) expect(score).toBeCloseTo(0.5, 14);
    expect([...scoresOf(growForest(line(3), usual, makeRng(1)), line(3))]).toEqual([0.5]);
  });

  it('writes a model that scores as it did, and refuses other columns', () => {
    const points = blobs([[0, 0]], 80);
    const frame = frameOf(points, undefined);
    const space = fitSpace(columnsOf(frame, 'feature'), points, false);
    const forest = growForest(points, { trees: 10, sampleSize: 32 }, makeRng(1));
    const scores = scoresOf(forest, points);
    const model = parseForest(JSON.stringify(forestModel(space, forest, scores[5] as number)));
    const again = scoreForest(model, frame);
    expect(again.scores).toEqual(scores);
    // Strictly above the threshold.
    expect([...again.anomalous]).toEqual(Array.from(scores, (score) => Number(score > (scores[5] as number))));
    expect(again.anomalous[5]).toBe(0);
    const broken = (change: (tree: Tree) => Tree): string =>
      JSON.stringify({ ...model, trees: model.trees.map((tree) => change(tree as Tree)) });
    // Such a path would never end.
    expect(() => parseForest(broken((tree) => ({ ...tree, left: tree.left.map(() => 0) })))).toThrow(
      'no isolation forest model: trees.0: a node leads nowhere',
    );
    expect(() => parseForest(broken((tree) => ({ ...tree, feature: tree.feature.map(() => 2) })))).toThrow(
      /a node leads nowhere|a tree cuts a feature that there is not/,
    );
    const other = frameOf({ ...points, columns: 1, rows: 160 }, undefined);
    expect(() => scoreForest(model, other)).toThrow('the model was fitted to other columns: the frame lacks f1');
  });
});

describe('the distance to centres', () => {
  it('is that told by hand, anomalous strictly above the threshold', () => {
    const frame = frameOf(line(0, 3, 10, 15), undefined);
    const space = fitSpace(columnsOf(frame, 'feature'), line(0, 3, 10, 15), false);
    const kMeans = kMeansModel(space, { k: 2, centres: Float64Array.of(0, 12) });
    const model = parseCentroid(JSON.stringify(centroidModel(kMeans, 2)));
    const { scores, anomalous } = scoreCentroid(model, frame);
    expect([...scores]).toEqual([0, 3, 2, 3]);
    expect([...anomalous]).toEqual([0, 1, 0, 1]);
    expect(() => parseCentroid('[]')).toThrow('no centroid distance model');
  });
});

describe.skipIf(!shared)(`recorded sets (${shared === undefined ? whyNoShared : 'cardio, pendigits'})`, () => {
  it.each([
    ['adbench/6_cardio.csv', 0.932, 0.012],
    ['adbench/28_pendigits.csv', 0.94, 0.013],
  ])('%s: ranks anomalies as well as scikit-learn', (file, expected, deviation) => {
    const { points, classes } = recorded(file);
    const areas = [1, 2, 3, 4, 5].map((seed) =>
      scoreOf('binary', classes, scoresOf(growForest(points, usual, makeRng(seed)), points)),
    );
    const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
    // Both are means of five seeds.
    expect(Math.abs(mean - expected)).toBeLessThan(2 * deviation * Math.sqrt(2 / 5));
  });
});
