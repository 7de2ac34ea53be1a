import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HistogramFigure, TableFigure } from '../../src/contract/figure.ts';
import { parseCentroid, scoreCentroid } from '../../src/models/anomalies/centroid-distance.ts';
import { parseForest, scoreForest } from '../../src/models/anomalies/isolation-forest.ts';
import centroidDistance from '../../src/stages/anomaly-centroid-distance.ts';
import isolationForest from '../../src/stages/anomaly-isolation-forest.ts';
import clusterKMeans from '../../src/stages/cluster-k-means.ts';
import runCentroid from '../../src/stages/run/anomaly-centroid-distance.ts';
import runForest from '../../src/stages/run/anomaly-isolation-forest.ts';
import runKMeans from '../../src/stages/run/cluster-k-means.ts';
import { writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blobs, frameOf } from '../models/blobs.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const ROWS = 200;
/** Every tenth wallet stands far out, each in its own direction. */
const points = blobs([[0, 0]], ROWS);
for (let i = 0; i < ROWS; i += 10) points.values.set([6 * (i % 20 === 0 ? 1 : -1), 7 - i / 20], 2 * i);
const kinds = Array.from({ length: ROWS }, (_, i) => (i % 10 === 0 ? 'insider' : 'casual'));
const frame = frameOf(points, kinds);
const known = { truth: 'kind', anomalousValues: ['insider'], resamples: 100 };

let file: string;
beforeAll(async () => {
  file = path.join(await temporaryFolder(), 'frame.arrow');
  await writeFrame(file, frame);
});

const forest = (params: object, more: { cancelled?: () => boolean } = {}) =>
  runStage(isolationForest, runForest, { params, inputs: { features: [file] }, ...more });
const distance = (params: object, model?: string) =>
  runStage(centroidDistance, runCentroid, {
    params,
    inputs: { features: [file], ...(model === undefined ? {} : { model: [model] }) },
  });

describe('anomaly.isolation-forest', () => {
  it('scores, counts above the percentile, and compares with what is known', async () => {
    const result = await forest(known);
    const { scalars, findings, metrics } = await result.metrics();
    expect(scalars).toMatchObject({ rows: ROWS, anomalies: 10 });
    expect(scalars['auc']).toBeGreaterThan(0.97);
    expect(metrics?.[0]).toMatchObject({ name: 'auc', target: 'insider', baseline: { value: 0.5 } });
    expect(findings?.[0]).toMatchObject({ verdict: 'yes' });
    expect(findings?.[0]?.sentence).toContain('20 known among 200 wallets, never learned from');
    const { rows } = await readParquet(result.path('scores'));
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: ROWS }, (_, i) => `0x${String(i).padStart(4, '0')}`));
    const threshold = scalars['threshold'] as number;
    for (const { score, anomalous } of rows)
      expect(anomalous).toBe(Number((score as number).toPrecision(7)) > threshold ? 1 : 0);
    const again = scoreForest(parseForest(await readFile(result.path('model'), 'utf8')), frame);
    expect(rows.map(({ score }) => score)).toEqual([...again.scores]);
    expect(rows.map(({ anomalous }) => anomalous)).toEqual([...again.anomalous]);
  });

  it('draws every row once, and lists the most unusual first', async () => {
    const [histogram, table] = (await (await forest(known)).figures()) as [HistogramFigure, TableFigure];
    expect(histogram.groups.map(({ label }) => label)).toEqual(['others', 'insider']);
    expect(histogram.groups.map(({ counts }) => counts.reduce((a, b) => a + b))).toEqual([180, 20]);
    expect(histogram.edges.length).toBe((histogram.groups[0]?.counts.length ?? 0) + 1);
    const scores = table.rows.map((row) => row[1] as number);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(table.rows.slice(0, 5).map((row) => row[5])).toEqual(Array(5).fill('insider'));
    expect(['f0', 'f1']).toContain(table.rows[0]?.[2]);
  });

  it('takes a share instead of a percentile, and needs no truth', async () => {
    const share = await forest({ threshold: { contamination: 0.1 } });
    const { scalars, findings } = await share.metrics();
    expect([scalars['anomalies'], findings]).toEqual([20, undefined]);
    const percentile = await forest({ threshold: { percentile: 90 } });
    expect(Buffer.compare(await share.bytes('scores'), await percentile.bytes('scores'))).toBe(0);
    expect(() => isolationForest.params.parse({ threshold: { contamination: 0.1, percentile: 90 } })).toThrow();
  });

  it('refuses a truth that it cannot read', async () => {
    await expect(forest({ truth: 'kind' })).rejects.toThrow('"kind" is not 0 or 1: it holds casual, insider');
    await expect(forest({ ...known, anomalousValues: ['whale'] })).rejects.toThrow('"kind" is never whale');
    await expect(forest({ anomalousValues: ['whale'] })).rejects.toThrow('anomalousValues needs `truth`');
  });

  it('stops when asked', async () => {
    await expect(forest({}, { cancelled: () => true })).rejects.toThrow('stopped on request');
  });
});

describe('anomaly.centroid-distance', () => {
  it('fits centres of its own, and writes a model that scores as it did', async () => {
    const [a, b] = [await distance({ k: 1, ...known }), await distance({ k: 1, ...known })];
    for (const port of Object.keys(centroidDistance.outputs))
      expect(Buffer.compare(await a.bytes(port), await b.bytes(port))).toBe(0);
    const { scalars } = await a.metrics();
    expect(scalars['auc']).toBeGreaterThan(0.97);
    expect(scalars['anomalies']).toBe(10);
    const { rows } = await readParquet(a.path('scores'));
    const again = scoreCentroid(parseCentroid(await readFile(a.path('model'), 'utf8')), frame);
    expect(rows.map(({ score }) => score)).toEqual([...again.scores]);
  });

  it('takes the centres of a model, with equal distances', async () => {
    const clusters = await runStage(clusterKMeans, runKMeans, { params: { k: 3 }, inputs: { features: [file] } });
    const result = await distance({ k: 7 }, clusters.path('model'));
    const { rows } = await readParquet(result.path('scores'));
    const assigned = await readParquet(clusters.path('assignments'));
    expect(rows.map(({ score }) => score)).toEqual(assigned.rows.map((row) => row['distance']));
    expect((await result.figures())[0]?.caption).toContain('3 centres of k-means');
  });

  it('refuses a model of other columns', async () => {
    const renamed = frame.columns.map((column) => (column.name === 'f0' ? { ...column, name: 'size' } : column));
    const other = path.join(await temporaryFolder(), 'frame.arrow');
    await writeFrame(other, { rows: ROWS, columns: renamed });
    const clusters = await runStage(clusterKMeans, runKMeans, { params: { k: 2 }, inputs: { features: [other] } });
    await expect(distance({}, clusters.path('model'))).rejects.toThrow(
      'the model was fitted to other columns: the frame lacks size; it has f0, which the model lacks',
    );
  });

  it('calls nothing anomalous where all rows are equal', async () => {
    const equal = path.join(await temporaryFolder(), 'equal.arrow');
    await writeFrame(equal, frameOf({ rows: 5, columns: 2, values: new Float64Array(10).fill(2) }, undefined));
    for (const result of [
      await runStage(centroidDistance, runCentroid, { params: {}, inputs: { features: [equal] } }),
      await runStage(isolationForest, runForest, { params: {}, inputs: { features: [equal] } }),
    ]) {
      const { scalars, notes } = await result.metrics();
      expect(scalars['anomalies']).toBe(0);
      expect(notes).toContain('Without any variation, so without weight: f0, f1.');
    }
  });
});
