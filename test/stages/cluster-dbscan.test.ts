import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LineFigure } from '../../src/contract/figure.ts';
import clusterDbscan from '../../src/stages/cluster-dbscan.ts';
import run from '../../src/stages/run/cluster-dbscan.ts';
import { type Frame, writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blobs, frameOf } from '../models/blobs.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const centres = [
  [0, 0],
  [15, 0],
  [0, 15],
];
const ROWS = 180;
const kinds = Array.from({ length: ROWS }, (_, i) => ['casual', 'bot', 'whale'][i % 3] as string);

async function cluster(frame: Frame, params: object = {}) {
  const file = path.join(await temporaryFolder(), 'frame.arrow');
  await writeFrame(file, frame);
  return runStage(clusterDbscan, run, { params: { resamples: 100, ...params }, inputs: { features: [file] } });
}

describe('cluster.dbscan', () => {
  const frame = frameOf(blobs(centres, ROWS), kinds);

  it('finds three kinds at the knee of the k-distances, the same for a seed', async () => {
    const [a, b] = [await cluster(frame, { truth: 'kind' }), await cluster(frame, { truth: 'kind' })];
    for (const port of Object.keys(clusterDbscan.outputs))
      expect(Buffer.compare(await a.bytes(port), await b.bytes(port))).toBe(0);
    const { scalars, findings } = await a.metrics();
    expect(scalars['clusters']).toBe(3);
    expect(scalars['adjustedRand']).toBeGreaterThan(0.8);
    expect(findings?.[0]?.verdict).toBe('yes');
    const { rows } = await readParquet(a.path('assignments'));
    expect(rows.filter((row) => row['cluster'] === -1).length).toBe(scalars['noise']);
    expect(rows.filter((row) => row['core'] === 1).length).toBe(scalars['core']);
    const curve = (await a.figures()).find(({ id }) => id === 'k-distance') as LineFigure;
    const distances = curve.series[0]?.y as number[];
    expect(distances).toEqual(distances.toSorted((x, y) => x - y));
    expect(curve.series[1]?.y[0]).toBe(scalars['eps']);
  });

  it('takes eps as given, and says where nothing is dense or all is', async () => {
    const sparse = await (await cluster(frame, { eps: 1e-6 })).metrics();
    expect(sparse.scalars).toMatchObject({ clusters: 0, noise: ROWS, silhouette: null });
    expect(sparse.notes?.join(' ')).toContain('all is noise');
    const dense = await (await cluster(frame, { eps: 100 })).metrics();
    expect(dense.scalars).toMatchObject({ clusters: 1, noise: 0 });
    expect(dense.notes?.join(' ')).toContain('nothing here says that there are kinds');
  });

  it.each([1, 2, 5])('does with %i rows', async (maxRows) => {
    const { scalars } = await (await cluster(frame, { maxRows })).metrics();
    expect(scalars['rows']).toBe(maxRows);
  });

  it('takes equal rows as one cluster', async () => {
    const equal = frameOf({ rows: 12, columns: 2, values: new Float64Array(24).fill(1) }, undefined);
    expect((await (await cluster(equal)).metrics()).scalars).toMatchObject({ clusters: 1, noise: 0, eps: 0 });
  });
});
