import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StageDefinition, StageRun } from '../../src/contract/stage.ts';
import centroidDistance from '../../src/stages/anomaly-centroid-distance.ts';
import isolationForest from '../../src/stages/anomaly-isolation-forest.ts';
import clusterDbscan from '../../src/stages/cluster-dbscan.ts';
import clusterKMeans from '../../src/stages/cluster-k-means.ts';
import modelsPredict from '../../src/stages/models-predict.ts';
import projectPca from '../../src/stages/project-pca.ts';
import projectTsne from '../../src/stages/project-tsne.ts';
import projectUmap from '../../src/stages/project-umap.ts';
import runCentroid from '../../src/stages/run/anomaly-centroid-distance.ts';
import runForest from '../../src/stages/run/anomaly-isolation-forest.ts';
import runDbscan from '../../src/stages/run/cluster-dbscan.ts';
import runKMeans from '../../src/stages/run/cluster-k-means.ts';
import run from '../../src/stages/run/models-predict.ts';
import runPca from '../../src/stages/run/project-pca.ts';
import runTsne from '../../src/stages/run/project-tsne.ts';
import runUmap from '../../src/stages/run/project-umap.ts';
import { type Frame, writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blobs, frameOf } from '../models/blobs.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const ROWS = 90;
const frame = frameOf(
  blobs(
    [
      [0, 0, 0],
      [9, 0, 3],
      [0, 9, 6],
    ],
    ROWS,
  ),
  undefined,
);

async function written(one: Frame): Promise<string> {
  const file = path.join(await temporaryFolder(), 'frame.arrow');
  await writeFrame(file, one);
  return file;
}

const fitted = async <P>(definition: StageDefinition<P>, work: StageRun<P>, params: object = {}) =>
  runStage(definition, work, { params, inputs: { features: [await written(frame)] } });
const predict = async (model: string, one: Frame = frame, params: object = {}) =>
  runStage(modelsPredict, run, { params, inputs: { model: [model], features: [await written(one)] } });
const change = (name: string, values: (value: number, row: number) => number): Frame => ({
  ...frame,
  columns: frame.columns.map((column) =>
    column.name === name && column.type === 'number' ? { ...column, values: column.values.map(values) } : column,
  ),
});

describe('models.predict', () => {
  it.each([
    ['k-means', () => fitted(clusterKMeans, runKMeans, { k: 3 }), 'assignments', ['cluster', 'distance']],
    ['DBSCAN', () => fitted(clusterDbscan, runDbscan), 'assignments', ['cluster']],
    ['isolation forest', () => fitted(isolationForest, runForest), 'scores', ['score', 'anomalous']],
    ['centroid distance', () => fitted(centroidDistance, runCentroid), 'scores', ['score', 'anomalous']],
  ])('gives the rows of a %s what the fit gave them', async (_name, make, port, columns) => {
    const model = await make();
    const result = await predict(model.path('model'));
    const [ours, theirs] = await Promise.all([readParquet(result.path('predictions')), readParquet(model.path(port))]);
    expect(ours.rows.length).toBe(ROWS);
    for (const column of ['id', 'time', ...columns])
      expect(ours.rows.map((row) => row[column])).toEqual(theirs.rows.map((row) => row[column]));
    expect((await result.metrics()).scalars).toMatchObject({ rows: ROWS, features: 3, imputed: 0 });
  });

  it('lays rows out on principal components as the map did', async () => {
    const model = await fitted(projectPca, runPca, { components: 3 });
    const { rows } = await readParquet((await predict(model.path('model'))).path('predictions'));
    const map = await readParquet(model.path('embedding'));
    for (const [i, row] of rows.entries()) {
      expect(row['component1']).toBeCloseTo(map.rows[i]?.['x'] as number, 10);
      expect(row['component2']).toBeCloseTo(map.rows[i]?.['y'] as number, 10);
      expect(typeof row['component3']).toBe('number');
    }
    expect((await model.figures()).map(({ id }) => id)).toEqual(['map', 'explained-variance', 'component-loadings']);
  });

  it('counts clusters and missing values, and takes rows by time', async () => {
    const model = await fitted(clusterKMeans, runKMeans, { k: 3 });
    const gap = await (
      await predict(
        model.path('model'),
        change('f1', (x, i) => (i === 4 ? NaN : x)),
      )
    ).metrics();
    expect(gap.scalars).toMatchObject({ imputed: 1, 'cluster 0': 30, 'cluster 1': 30 });
    expect(gap.notes?.join(' ')).toContain('1 missing values stand at the means that the model has learned: f1 1.');
    const later = change('asOf', (time, i) => time + (i < 20 ? 86_400_000 : 0));
    const { scalars } = await (await predict(model.path('model'), later, { asOf: 'last' })).metrics();
    expect(scalars['rows']).toBe(20);
  });

  describe('refuses', () => {
    let file: string;
    let text: string;
    beforeAll(async () => {
      file = (await fitted(isolationForest, runForest, { trees: 5 })).path('model');
      text = await readFile(file, 'utf8');
    });
    const changed = async (content: string): Promise<string> => {
      const target = path.join(await temporaryFolder(), 'model.json');
      await writeFile(target, content);
      return target;
    };

    it('a file cut in half', async () => {
      await expect(predict(await changed(text.slice(0, text.length / 2)))).rejects.toThrow('is not complete JSON');
      await expect(predict(await changed(''))).rejects.toThrow('is not complete JSON');
    });

    it('another version, another kind, and a file that contradicts itself', async () => {
      const model = JSON.parse(text) as object;
      const write = (more: object): Promise<string> => changed(JSON.stringify({ ...model, ...more }));
      await expect(predict(await write({ version: 2 }))).rejects.toThrow(
        'the model file is of version 2 of fathom.isolation-forest',
      );
      await expect(predict(await write({ schema: 'fathom.oracle' }))).rejects.toThrow('of the kind "fathom.oracle"');
      await expect(predict(await write({ trees: [] }))).rejects.toThrow('no isolation forest model: trees');
      await expect(predict(await changed('null'))).rejects.toThrow('of the kind null');
    });

    it('a frame with other columns or units', async () => {
      const renamed = frame.columns.map((column) => (column.name === 'f1' ? { ...column, name: 'volume' } : column));
      await expect(predict(file, { rows: ROWS, columns: renamed })).rejects.toThrow('the frame lacks f1');
      const cents = frame.columns.map((column) => (column.name === 'f0' ? { ...column, unit: 'cents' } : column));
      await expect(predict(file, { rows: ROWS, columns: cents })).rejects.toThrow('f0 is in cents, and was in USD');
    });

    it('an infinite value, by column and row', async () => {
      const infinite = change('f2', (x, i) => (i === 7 ? -Infinity : x));
      await expect(predict(file, infinite)).rejects.toThrow('column "f2" is -Infinity in row 7 (wallet "0x0007")');
      const days = change('asOf', (time, i) => time + (i >= 5 ? 86_400_000 : 0));
      const columns = infinite.columns.map(
        (c) => days.columns.find(({ name }) => name === 'asOf' && c.name === name) ?? c,
      );
      // Of the rows of the last day it is the third.
      await expect(predict(file, { ...infinite, columns }, { asOf: 'last' })).rejects.toThrow('(wallet "0x0007")');
    });
  });
});

describe('stages that fit refuse or say what is wrong with the rows', () => {
  const fitting =
    <P>(definition: StageDefinition<P>, work: StageRun<P>, params: object = {}) =>
    (file: string): Promise<StageResult> =>
      runStage(definition, work, { params, inputs: { features: [file] } });
  const stages: [string, (file: string) => Promise<StageResult>, string][] = [
    ['cluster.k-means', fitting(clusterKMeans, runKMeans), 'assignments'],
    ['cluster.dbscan', fitting(clusterDbscan, runDbscan), 'assignments'],
    ['anomaly.isolation-forest', fitting(isolationForest, runForest), 'scores'],
    ['anomaly.centroid-distance', fitting(centroidDistance, runCentroid), 'scores'],
    ['project.pca', fitting(projectPca, runPca), 'embedding'],
    ['project.tsne', fitting(projectTsne, runTsne, { iterations: 20 }), 'embedding'],
    ['project.umap', fitting(projectUmap, runUmap, { epochs: 20 }), 'embedding'],
  ];

  it.each(stages)('%s: infinity by column and row', async (_name, work) => {
    const file = await written(change('f1', (x, i) => (i === 12 ? Infinity : x)));
    await expect(work(file)).rejects.toThrow('column "f1" is Infinity in the row of wallet "0x0012" at 2025-06-01');
  });

  it.each(stages)('%s: one row, and a constant column', async (_name, work, table) => {
    await work(await written(frameOf({ rows: 1, columns: 2, values: Float64Array.of(1, 2) }, undefined)));
    const result = await work(await written(change('f1', () => 3)));
    expect((await result.metrics()).notes).toContain('Without any variation, so without weight: f1.');
    const { rows } = await readParquet(result.path(table));
    expect(rows.length).toBe(ROWS);
    // NaN would be written as null.
    for (const row of rows) expect(Object.values(row)).not.toContain(null);
  });

  it('K = 0, no trees, no components', () => {
    expect(() => clusterKMeans.params.parse({ k: 0 })).toThrow();
    expect(() => centroidDistance.params.parse({ k: 0 })).toThrow();
    expect(() => isolationForest.params.parse({ trees: 0 })).toThrow();
    expect(() => projectPca.params.parse({ components: 0 })).toThrow();
  });
});
