import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HeatmapFigure, LineFigure, TableFigure } from '../../src/contract/figure.ts';
import { parseKMeans, scoreKMeans } from '../../src/models/clusters/k-means-model.ts';
import clusterKMeans from '../../src/stages/cluster-k-means.ts';
import run from '../../src/stages/run/cluster-k-means.ts';
import { columnNamed, type Frame, readFrame, writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blobs, frameOf } from '../models/blobs.ts';
import { noOpenblas } from '../support/kernels.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const centres = [
  [0, 0, 5],
  [10, 0, 5],
  [0, 10, 15],
];
const ROWS = 120;
const kinds = Array.from({ length: ROWS }, (_, i) => ['casual', 'bot', 'whale'][i % 3] as string);

async function cluster(
  frame: Frame,
  params: object = {},
  more: { cancelled?: () => boolean; seed?: number; engine?: string } = {},
) {
  const file = path.join(await temporaryFolder(), 'frame.arrow');
  await writeFrame(file, frame);
  return runStage(clusterKMeans, run, { params: { resamples: 100, ...params }, inputs: { features: [file] }, ...more });
}

const set = (frame: Frame, name: string, change: (value: number, i: number) => number): Frame => ({
  ...frame,
  columns: frame.columns.map((column) =>
    column.name === name && column.type === 'number' ? { ...column, values: column.values.map(change) } : column,
  ),
});

describe('cluster.k-means', () => {
  const frame = frameOf(blobs(centres, ROWS), kinds);

  it('finds three kinds, says so, and writes a model that scores rows as it did', async () => {
    const result = await cluster(frame, { truth: 'kind' });
    const { scalars, findings, metrics, notes } = await result.metrics();
    expect(scalars).toMatchObject({ rows: ROWS, features: 3, k: 3, imputed: 0, adjustedRand: 1 });
    expect(scalars['silhouette']).toBeGreaterThan((scalars['silhouette.shuffled'] as number) + 0.2);
    expect(scalars['stability']).toBe(1);
    expect(findings?.[0]).toMatchObject({ verdict: 'yes', headline: 'Yes.', n: ROWS, baseline: { value: 0 } });
    expect(findings?.[0]?.sentence).toMatch(
      /^3 clusters \(chosen by silhouette from 2 to 8\).*adjusted Rand index 1\.00/,
    );
    expect(metrics?.[0]).toMatchObject({ name: 'adjustedRand', set: 'train', clusters: ROWS });
    expect(notes).toEqual([]);

    const { rows } = await readParquet(result.path('assignments'));
    expect(rows.length).toBe(ROWS);
    expect(rows[0]).toMatchObject({ id: '0x0000', time: new Date('2025-06-01') });
    const model = parseKMeans(await readFile(result.path('model'), 'utf8'));
    const { labels, distances } = scoreKMeans(model, frame);
    expect(rows.map(({ cluster }) => cluster)).toEqual([...labels]);
    expect(rows.map(({ distance }) => distance)).toEqual([...distances]);
    const coloured = columnNamed(await readFrame(result.path('frame')), 'cluster');
    expect(coloured).toMatchObject({ role: 'info', labels: ['cluster 0', 'cluster 1', 'cluster 2'], codes: labels });
  });

  it.skipIf(noOpenblas !== undefined)(
    `gives the same bytes with OpenBLAS as without${noOpenblas === undefined ? '' : ` (${noOpenblas})`}`,
    async () => {
      // Overlapping kinds: many rows lie between two centres.
      const near = frameOf(
        blobs(
          [
            [0, 0, 0],
            [1.5, 0, 0],
            [0, 1.5, 0.5],
          ],
          600,
        ),
        undefined,
      );
      const [own, blas] = [
        await cluster(near, {}, { engine: 'wasm' }),
        await cluster(near, {}, { engine: 'openblas' }),
      ];
      for (const port of ['assignments', 'frame', 'model', 'metrics', 'figures'])
        expect(Buffer.from(await blas.bytes(port)).equals(Buffer.from(await own.bytes(port))), port).toBe(true);
    },
  );

  it('draws the choice of k, the centres and the truth', async () => {
    const figures = await (await cluster(frame, { truth: 'kind' })).figures();
    expect(figures.map(({ id }) => id)).toEqual([
      'clusters-truth',
      'k-choice',
      'elbow',
      'cluster-centres',
      'cluster-sizes',
      'cluster-medians',
    ]);
    const [truth, choice, elbow, heatmap, , medians] = figures as [
      HeatmapFigure,
      LineFigure,
      LineFigure,
      HeatmapFigure,
      unknown,
      TableFigure,
    ];
    expect(truth.values.map((row) => [...row].sort((a, b) => (b ?? 0) - (a ?? 0)))).toEqual(Array(3).fill([40, 0, 0]));
    expect(choice.title).toBe('3 clusters are the most apart');
    expect(elbow.series[0]?.x).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(heatmap.values.flat().filter((value) => (value as number) > 1).length).toBe(3);
    expect(medians.columns.slice(2)).toEqual(['f0', 'f1', 'f2'].map((name) => ({ name, unit: 'USD', align: 'right' })));
    // In units of the features, not standardised.
    expect(medians.rows.map((row) => Math.round(row[4] as number)).toSorted((a, b) => a - b)).toEqual([5, 5, 15]);
  });

  it('gives equal bytes for equal seeds', async () => {
    const [a, b] = [await cluster(frame), await cluster(frame)];
    for (const port of Object.keys(clusterKMeans.outputs))
      expect(Buffer.compare(await a.bytes(port), await b.bytes(port))).toBe(0);
  });

  it('says no where the truth has nothing to do with the features, and where there are no kinds', async () => {
    const noise = frameOf(blobs([[0, 0, 0]], ROWS), kinds);
    const { findings, notes } = await (await cluster(noise, { truth: 'kind' })).metrics();
    expect(findings?.[0]?.verdict).toBe('no');
    expect(findings?.[0]?.headline).toBe('No.');
    expect(notes?.join(' ')).toMatch(/nothing here says that there are kinds|other clusters come out/);
  });

  it('names the kinds that have no cluster of their own', async () => {
    // Half of the bots are called makers: no feature tells.
    const finer = kinds.map((kind, i) => (kind === 'bot' && i % 2 === 0 ? 'maker' : kind));
    const { findings } = await (await cluster(frameOf(blobs(centres, ROWS), finer), { truth: 'kind' })).metrics();
    expect(findings?.[0]?.sentence).toMatch(/With a cluster of their own: casual, whale; without: bot, maker\.$/);
    expect(findings?.[0]?.verdict).not.toBe('no');
  });

  it('says in part where kinds are seen only through some of their rows', async () => {
    const twisted = kinds.map((kind, i) => (i % 4 === 1 ? (kinds[i + 1] as string) : kind));
    const { findings, scalars } = await (
      await cluster(frameOf(blobs(centres, ROWS), twisted), { truth: 'kind' })
    ).metrics();
    expect(scalars['adjustedRand']).toBeGreaterThan(0.2);
    expect(findings?.[0]).toMatchObject({ verdict: 'no', headline: 'Only in part.' });
  });

  it('takes a k as given, and one out of the range', async () => {
    const result = await cluster(frame, { k: 10, range: { from: 2, to: 3 }, stabilityResamples: 0 });
    const { scalars } = await result.metrics();
    expect(scalars).toMatchObject({ k: 10, stability: null });
    expect(((await result.figures())[0] as LineFigure).series[0]?.x).toEqual([2, 3, 10]);
  });

  it('fills missing values, and leaves constants without weight', async () => {
    const odd = set(
      set(frame, 'f2', () => 7),
      'f0',
      (value, i) => (i === 4 ? NaN : value),
    );
    const { scalars, notes } = await (await cluster(odd)).metrics();
    expect(scalars).toMatchObject({ k: 3, imputed: 1 });
    expect(notes?.[0]).toContain('1 missing values (of 360) stand at the mean of their column');
    expect(notes?.[1]).toBe('Without any variation, so without weight: f2.');
  });

  it('does with fewer rows than clusters, and with equal rows', async () => {
    const few = await (await cluster(frameOf(blobs(centres, 2), kinds.slice(0, 2)), { k: 5, truth: 'kind' })).metrics();
    expect(few.scalars['k']).toBe(2);
    expect(few.notes).toContain('2 wallets cannot be in more clusters than there are of them.');
    expect(few.findings?.[0]?.verdict).toBe('undecided');
    const equal = { rows: 6, columns: 3, values: new Float64Array(18).fill(3) };
    const { scalars, notes } = await (await cluster(frameOf(equal, undefined))).metrics();
    expect(scalars).toMatchObject({ k: 1, silhouette: null, inertia: 0 });
    expect(notes).toContain('There are only 1 different rows, and so no more clusters.');
  });

  it('takes the dates of a wallet as one subject', async () => {
    const days = 2;
    const twice: Frame = {
      rows: ROWS,
      columns: frame.columns.map((column): Frame['columns'][number] => {
        if (column.name === 'wallet' && column.type === 'category')
          return { ...column, codes: column.codes.map((code) => Math.floor(code / days)) };
        if (column.name === 'asOf' && column.type === 'number')
          return { ...column, values: column.values.map((time, i) => time + (i % days) * 86_400_000) };
        return column;
      }),
    };
    const result = await cluster(twice, { asOf: 'all', truth: 'kind' });
    const { metrics } = await result.metrics();
    expect(metrics?.[0]).toMatchObject({ n: ROWS, clusters: ROWS / days });
    const { rows } = await readParquet(result.path('assignments'));
    expect(rows.slice(0, 2).map(({ id, time }) => [id, time])).toEqual([
      ['0x0000', new Date('2025-06-01')],
      ['0x0000', new Date('2025-06-02')],
    ]);
    // The last day alone by default.
    expect((await (await cluster(twice)).metrics()).scalars['rows']).toBe(ROWS / days);
  });

  it('refuses a truth that is learned from', async () => {
    await expect(cluster(frame, { truth: 'f1' })).rejects.toThrow('truth "f1" is among the features');
  });

  it('stops when asked', async () => {
    let calls = 0;
    await expect(cluster(frame, {}, { cancelled: () => ++calls > 20 })).rejects.toThrow('stopped on request');
    expect(calls).toBeLessThan(25);
  });

  it('refuses names that are not there, and a column cluster', async () => {
    await expect(cluster(frame, { truth: 'knd' })).rejects.toThrow('no column "knd"');
    const taken = { ...frame, columns: frame.columns.map((c) => (c.name === 'f0' ? { ...c, name: 'cluster' } : c)) };
    await expect(cluster(taken)).rejects.toThrow('the frame has a column "cluster" already');
    expect(() => clusterKMeans.params.parse({ range: { from: 5, to: 4 } })).toThrow('from is larger than to');
  });
});
