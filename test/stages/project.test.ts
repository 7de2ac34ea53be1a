import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MapFigure } from '../../src/contract/figure.ts';
import { searchOpenblas } from '../../src/native/openblas.ts';
import { thisMachine } from '../../src/native/system.ts';
import { makeRng } from '../../src/random/rng.ts';
import projectTsne from '../../src/stages/project-tsne.ts';
import projectUmap from '../../src/stages/project-umap.ts';
import runTsne from '../../src/stages/run/project-tsne.ts';
import runUmap from '../../src/stages/run/project-umap.ts';
import { type Frame, writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const WALLETS = 120;
const archetypes = ['casual', 'grinder', 'whale'];

/** 120 wallets of three archetypes on two days; features follow the archetype. */
function profiles(): Frame {
  const rng = makeRng(7);
  const rows = 2 * WALLETS;
  const wallet = (row: number): number => row % WALLETS;
  const feature = (name: string, factor: number): Frame['columns'][number] => ({
    name,
    role: 'feature',
    unit: 'USD',
    type: 'number',
    values: Float64Array.from({ length: rows }, (_, row) => factor * (wallet(row) % 3) * 5 + rng.normal()),
  });
  const edge = feature('edge', 1);
  if (edge.type === 'number') edge.values[WALLETS + 5] = NaN;
  return {
    rows,
    columns: [
      {
        name: 'wallet',
        role: 'id',
        type: 'category',
        labels: Array.from({ length: WALLETS }, (_, i) => `0x${i}`),
        codes: Int32Array.from({ length: rows }, (_, row) => wallet(row)),
      },
      {
        name: 'asOf',
        role: 'time',
        type: 'number',
        values: Float64Array.from({ length: rows }, (_, row) => Date.UTC(2025, 5, row < WALLETS ? 1 : 2)),
      },
      edge,
      feature('volume', -1),
      feature('trades', 0.5),
      {
        name: 'archetype',
        role: 'info',
        type: 'category',
        labels: archetypes,
        codes: Int32Array.from({ length: rows }, (_, row) => wallet(row) % 3),
      },
      {
        name: 'profit',
        role: 'label',
        type: 'number',
        values: Float64Array.from({ length: rows }, () => rng.normal()),
      },
    ],
  };
}

let file: string;
beforeAll(async () => {
  file = path.join(await temporaryFolder(), 'profiles.arrow');
  await writeFrame(file, profiles());
});

describe('project.tsne', () => {
  const run = (params: object, more: { seed?: number; folder?: string; cancelled?: () => boolean } = {}) =>
    runStage(projectTsne, runTsne, { params: { iterations: 300, ...params }, inputs: { features: [file] }, ...more });

  it('writes the embedding, its quality beside PCA, and a map with a question', async () => {
    const result = await run({});
    const { rows, columns } = await readParquet(result.path('embedding'));
    expect(columns?.map(({ name, role }) => `${name} ${role}`)).toEqual(['id id', 'time time', 'x info', 'y info']);
    expect(rows.length).toBe(WALLETS);
    expect(rows.map((row) => row['id'])).toEqual(rows.map((row) => row['id'] as string).sort());
    expect(rows[0]?.['time']).toEqual(new Date('2025-06-02T00:00:00Z'));

    const { scalars, notes } = await result.metrics();
    expect(scalars).toMatchObject({ rows: WALLETS, features: 3, imputed: 1, perplexity: 30 });
    expect(scalars['trustworthiness']).toBeGreaterThan(0.9);
    expect(scalars['neighbourPreservation']).toBeGreaterThan(0.5);
    expect(scalars['pca.trustworthiness']).toBeGreaterThan(0.9);
    expect(scalars['pca.explained']).toBeGreaterThan(0.9);
    expect(scalars['klDivergence']).toBeGreaterThan(0);
    expect(scalars['colour.agreement']).toBeGreaterThan(0.95);
    expect(scalars['colour.chance']).toBeCloseTo((3 * 40 * 39) / (120 * 119), 10);
    expect(notes).toContain('1 missing values (of 360) stand at the mean of their column over these rows: edge 1.');

    const [figure] = (await result.figures()) as MapFigure[];
    expect(figure).toMatchObject({ kind: 'map', section: 'map', colour: 'archetype', method: 'Projections' });
    expect(figure?.title).toBe('Do wallets of one archetype lie together?');
    expect(figure?.subtitle).toMatch(
      /^120 wallets as of 2025-06-02; 3 standardised features; trustworthiness 0\.9\d+ at 15 neighbours \(principal components 0\.9\d+\); \d+ % of a row's nearest share its archetype, 33 % by chance$/,
    );
    expect(figure?.caption).toContain('the distances between them mean little');
    expect(figure?.columns.map(({ name }) => name)).toEqual(['profit', 'archetype', 'edge', 'volume', 'trades']);
    const edge = figure?.columns.find(({ name }) => name === 'edge');
    expect(edge).toMatchObject({ type: 'value', unit: 'USD' });
    // What was missing stays missing for the reader.
    expect(edge?.type === 'value' ? edge.values.filter((v) => v === null).length : -1).toBe(1);
    const at = figure?.ids.indexOf(rows[3]?.['id'] as string) as number;
    expect(figure?.x[at]).toBeCloseTo(rows[3]?.['x'] as number, 3);
    expect(figure?.ids.length).toBe(figure?.y.length);
  });

  it('gives the same bytes for a seed, other points for another', async () => {
    const [a, b, c] = await Promise.all([run({}), run({}), run({}, { seed: 43 })]);
    for (const port of ['embedding', 'metrics', 'figures'])
      expect(Buffer.compare(await a.bytes(port), await b.bytes(port))).toBe(0);
    expect(Buffer.compare(await a.bytes('embedding'), await c.bytes('embedding'))).not.toBe(0);
  });

  it('shows all times with the time in the name, and leaves agreement out', async () => {
    const result = await run({ asOf: 'all', maxRows: 200, colour: 'profit', columns: ['edge'], iterations: 50 });
    const [figure] = (await result.figures()) as MapFigure[];
    expect(figure?.ids.length).toBe(200);
    expect(figure?.ids[0]).toMatch(/^0x\d+ at 2025-06-0[12]$/);
    expect(figure?.columns.map(({ name }) => name)).toEqual(['profit', 'edge']);
    expect(figure?.title).toBe('Do wallets of similar profit lie together?');
    const { scalars, notes } = await result.metrics();
    expect(scalars['colour.agreement']).toBeNull();
    expect(notes).toContain('A random sample of 200 of 240 rows is shown (`maxRows`).');
    expect((await readParquet(result.path('embedding'))).rows.length).toBe(200);
  });

  it.each([1, 2, 3, 4, 12])('takes %i rows and calls their quality unknown', async (maxRows) => {
    const result = await run({ maxRows, iterations: 50 });
    const { scalars, notes } = await result.metrics();
    expect(scalars).toMatchObject({ rows: maxRows, trustworthiness: null });
    expect(scalars['klDivergence'] === null).toBe(maxRows <= 3);
    expect(notes?.join(' ')).toContain('The quality of the map is not known');
    const [figure] = (await result.figures()) as MapFigure[];
    expect(figure?.subtitle).toContain('trustworthiness not known');
  });

  it('stops when asked, and goes on from there to the same bytes', async () => {
    const whole = await run({});
    const folder = await temporaryFolder();
    let calls = 0;
    await expect(run({}, { folder, cancelled: () => ++calls > 150 })).rejects.toThrow('stopped on request');
    expect(calls).toBeLessThan(160);
    let checks = 0;
    const rest = await run({}, { folder, cancelled: () => ++checks < 0 });
    // 300 iterations less those done before, and the measuring after.
    expect(checks).toBeLessThan(300 - 140 + 2 * WALLETS + 10);
    for (const port of ['embedding', 'metrics', 'figures'])
      expect(Buffer.compare(await rest.bytes(port), await whole.bytes(port))).toBe(0);
  });

  it('does not colour by labels that are not known yet', async () => {
    const frame = profiles();
    const columns = frame.columns
      .filter(({ name }) => name !== 'archetype')
      .map((column) =>
        column.role === 'label' && column.type === 'number' ? { ...column, values: column.values.fill(NaN) } : column,
      );
    const unlabelled = path.join(await temporaryFolder(), 'frame.arrow');
    await writeFrame(unlabelled, { rows: frame.rows, columns });
    const params = { iterations: 20 };
    const result = await runStage(projectTsne, runTsne, { params, inputs: { features: [unlabelled] } });
    const [figure] = (await result.figures()) as MapFigure[];
    expect(figure?.colour).toBeUndefined();
    expect(figure?.title).toBe('Which wallets are alike?');
    expect(figure?.columns.map(({ name }) => name)).toEqual(['edge', 'volume', 'trades']);
  });

  it('refuses wrong parameters and names early', async () => {
    expect(() => projectTsne.params.parse({ asOf: 'yesterday' })).toThrow('expected last, all, a date');
    expect(() => projectTsne.params.parse({ asOf: '2025-13-01' })).toThrow('expected last, all, a date');
    expect(() => projectTsne.params.parse({ perplexity: 1 })).toThrow('perplexity');
    expect(() => projectTsne.params.parse({ perplexty: 30 })).toThrow('perplexty');
    await expect(run({ colour: 'archetipe' })).rejects.toThrow('no column "archetipe"');
  });
});

describe('project.umap', () => {
  const run = (params: object) =>
    runStage(projectUmap, runUmap, { params: { epochs: 60, ...params }, inputs: { features: [file] } });

  it.each(['fathom', 'umap-js'])('writes all outputs, the same for a seed: %s', async (implementation) => {
    const [a, b] = await Promise.all([run({ implementation }), run({ implementation })]);
    for (const port of ['embedding', 'metrics', 'figures'])
      expect(Buffer.compare(await a.bytes(port), await b.bytes(port))).toBe(0);
    const { scalars } = await a.metrics();
    expect(scalars).toMatchObject({ rows: WALLETS, neighbours: 15 });
    expect(scalars['trustworthiness']).toBeGreaterThan(0.85);
    const [figure] = (await a.figures()) as MapFigure[];
    expect(figure?.caption).toMatch(implementation === 'fathom' ? /^UMAP, 15/ : /^UMAP \(umap-js\), 15/);
  });

  it('refuses a minDist above the spread', () => {
    expect(() => projectUmap.params.parse({ minDist: 2 })).toThrow('minDist is larger than spread');
  });
});

describe.skipIf(!searchOpenblas(thisMachine()).found)('the engine openblas', () => {
  const inputs = () => ({ features: [file] });
  it.each([
    [
      'project.tsne',
      (engine: string) => runStage(projectTsne, runTsne, { params: { iterations: 50 }, inputs: inputs(), engine }),
    ],
    [
      'project.umap',
      (engine: string) => runStage(projectUmap, runUmap, { params: { epochs: 20 }, inputs: inputs(), engine }),
    ],
  ])('leaves the bytes of %s as they are', async (_, run) => {
    const [own, blas] = [await run('wasm'), await run('openblas')];
    for (const port of ['embedding', 'metrics', 'figures'])
      expect(Buffer.compare(await blas.bytes(port), await own.bytes(port)), port).toBe(0);
  });
});
