import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import projectTransform from '../../src/stages/project-transform.ts';
import projectUmap from '../../src/stages/project-umap.ts';
import runTransform from '../../src/stages/run/project-transform.ts';
import runUmap from '../../src/stages/run/project-umap.ts';
import { writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blobs, frameOf } from '../models/blobs.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const centres = [
  [0, 0, 0],
  [20, 0, 0],
  [0, 20, 20],
];

let folder: string;
let model: string;
let known: { x: number; y: number }[];
const later = (): string => path.join(folder, 'later.arrow');

async function coordinates(file: string): Promise<{ id: string; x: number; y: number }[]> {
  const { rows } = await readParquet(file);
  return rows
    .map((row) => ({ id: String(row['id']), x: row['x'] as number, y: row['y'] as number }))
    .sort((a, b) => Number(a.id) - Number(b.id));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const file = path.join(folder, 'first.arrow');
  await writeFrame(file, frameOf(blobs(centres, 120), undefined));
  const result = await runStage(projectUmap, runUmap, { params: { epochs: 150 }, inputs: { features: [file] } });
  model = result.path('model');
  known = await coordinates(result.path('embedding'));
  await writeFrame(later(), frameOf(blobs(centres, 30, 5), undefined));
});

const transform = (more: { model?: string; features?: string; threads?: number } = {}) =>
  runStage(projectTransform, runTransform, {
    params: {},
    inputs: { model: [more.model ?? model], features: [more.features ?? later()] },
    ...(more.threads === undefined ? {} : { threads: more.threads }),
  });

describe('project.transform', () => {
  it('places new rows among those of the map that they belong to', async () => {
    const result = await transform();
    const placed = await coordinates(result.path('embedding'));
    expect(placed).toHaveLength(30);
    for (const [i, { x, y }] of placed.entries()) {
      const distances = known.map((point) => Math.hypot(point.x - x, point.y - y));
      const nearest = distances.indexOf(Math.min(...distances));
      expect(nearest % 3).toBe(i % 3);
      // Not on top of it.
      expect(distances[nearest]).toBeGreaterThan(0);
    }
    expect((await result.metrics()).scalars).toMatchObject({ rows: 30, features: 3, mapRows: 120 });
  });

  it('gives the same bytes with any number of threads', async () => {
    const bytes = await Promise.all([1, 2].map(async (threads) => (await transform({ threads })).bytes('embedding')));
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it('refuses rows with other columns, and says which', async () => {
    const frame = frameOf(blobs(centres, 30, 5), undefined);
    const other = path.join(folder, 'other.arrow');
    const columns = frame.columns.map((column, c) =>
      c === frame.columns.length - 1 ? { ...column, name: 'new' } : column,
    );
    await writeFrame(other, { ...frame, columns });
    await expect(transform({ features: other })).rejects.toThrow(
      /the model was fitted to other columns: the frame lacks .*new/,
    );
  });

  it('refuses an infinite value by column and row, and puts a missing one at the mean', async () => {
    const frame = frameOf(blobs(centres, 30, 5), undefined);
    const other = path.join(folder, 'odd.arrow');
    const write = (value: number): Promise<void> =>
      writeFrame(other, {
        ...frame,
        columns: frame.columns.map((column) =>
          column.name === 'f1' && column.type === 'number'
            ? { ...column, values: column.values.map((x, row) => (row === 4 ? value : x)) }
            : column,
        ),
      });
    await write(Infinity);
    await expect(transform({ features: other })).rejects.toThrow('column "f1" is Infinity in row 4');
    await write(NaN);
    for (const { x, y } of await coordinates((await transform({ features: other })).path('embedding')))
      expect([x, y].every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['one row', frameOf(blobs(centres, 1), undefined)],
    ['fewer rows than neighbours', frameOf(blobs(centres, 6), undefined)],
    ['equal rows', frameOf({ rows: 9, columns: 3, values: new Float64Array(27).fill(2) }, undefined)],
  ])('places rows on a map of %s', async (_name, frame) => {
    const file = path.join(folder, 'small.arrow');
    await writeFrame(file, frame);
    const map = await runStage(projectUmap, runUmap, { params: { epochs: 20 }, inputs: { features: [file] } });
    const placed = await coordinates((await transform({ model: map.path('model') })).path('embedding'));
    expect(placed).toHaveLength(30);
    for (const { x, y } of placed) expect([x, y].every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['cut in half', (text: string) => text.slice(0, text.length / 2), 'not JSON'],
    ['of another kind', (text: string) => text.replace('fathom.umap', 'fathom.pca'), 'no UMAP model: schema'],
    ['of another version', (text: string) => text.replace('"version":1', '"version":9'), 'no UMAP model: version'],
    ['of fewer rows than it says', (text: string) => text.replace('"rows":120', '"rows":121'), '121 rows'],
  ])('refuses a model %s', async (_, change, message) => {
    const broken = path.join(folder, 'broken.json');
    await writeFile(broken, change(await readFile(model, 'utf8')));
    await expect(transform({ model: broken })).rejects.toThrow(message);
  });
});
