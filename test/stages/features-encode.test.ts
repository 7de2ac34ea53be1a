import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeContainer, encodeContainer } from '../../src/models/mtl/container.ts';
import { decodeModel, predictFrame } from '../../src/models/mtl/model.ts';
import { makeRng } from '../../src/random/rng.ts';
import definition, { type EncodeParams } from '../../src/stages/features-encode.ts';
import run from '../../src/stages/run/features-encode.ts';
import train from '../../src/stages/run/train-mtl.ts';
import trainDefinition from '../../src/stages/train-mtl.ts';
import { type Frame, type FrameColumn, numbersOf, readFrame, writeFrame } from '../../src/tables/frame.ts';
import { buildKernels } from '../support/kernels.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const ROWS = 200;
let folder: string;
let model: string;

beforeAll(async () => {
  buildKernels();
  folder = await temporaryFolder();
  const rng = makeRng('encode');
  const numbers = (name: string, role: FrameColumn['role'], make: (row: number) => number): FrameColumn => ({
    name,
    role,
    type: 'number',
    values: Float64Array.from({ length: ROWS }, (_, row) => make(row)),
  });
  const [a, b] = [numbers('a', 'feature', () => rng.normal()), numbers('b', 'feature', () => 3 + rng.normal())];
  const label = numbers('profit', 'label', (row) => numbersOf(a)[row] as number);
  const frame: Frame = { rows: ROWS, columns: [numbers('row', 'id', (row) => row), a, b, label] };
  const splits: Frame = {
    rows: ROWS,
    columns: [
      {
        name: 'fold0',
        role: 'info',
        type: 'category',
        labels: ['none', 'train', 'validation', 'test', 'purged'],
        codes: Int32Array.from({ length: ROWS }, (_, row) => (row % 4 === 3 ? 3 : row % 4 === 2 ? 2 : 1)),
      },
    ],
  };
  await writeFrame(path.join(folder, 'features.arrow'), frame);
  await writeFrame(path.join(folder, 'splits.arrow'), splits);
  const params = { heads: [{ target: 'profit', kind: 'regression' }], hidden: [12, 5], epochs: 5, resamples: 10 };
  const inputs = { features: [path.join(folder, 'features.arrow')], splits: [path.join(folder, 'splits.arrow')] };
  const trained = await runStage(trainDefinition, train, { params, inputs, engine: 'wasm' });
  model = trained.path('model');
});

const encode = (params: Partial<EncodeParams>, inputs: Record<string, readonly string[]> = {}) =>
  runStage(definition, run, {
    params,
    inputs: { model: [model], features: [path.join(folder, 'features.arrow')], ...inputs },
    coordinates: { fold: 0 },
  });

describe('features.encode', () => {
  it('gives the activations that the heads see: a linear map of them is the prediction', async () => {
    const frame = await readFrame((await encode({ set: 'all' })).path('frame'));
    const units = frame.columns.filter((column) => column.role === 'feature').map((column) => numbersOf(column));
    expect(frame.columns.filter((column) => column.role === 'feature').map(({ name }) => name)).toEqual([
      'encoding0',
      'encoding1',
      'encoding2',
      'encoding3',
      'encoding4',
    ]);
    const loaded = decodeModel(await readFile(model), 'model');
    const { heads } = loaded.network.layout;
    const weights = loaded.network.region('parameters').slice();
    const [output] = loaded.heads[0]?.outputs ?? [];
    const [predicted] = predictFrame(loaded, await readFrame(path.join(folder, 'features.arrow')));
    for (let row = 0; row < ROWS; row++) {
      const z = units.reduce(
        (sum, unit, u) => sum + (unit[row] as number) * (weights[heads.weight + u * heads.paddedOutputs] as number),
        weights[heads.bias] as number,
      );
      expect(z * (output?.scale ?? 0) + (output?.offset ?? 0)).toBeCloseTo(predicted?.[row] as number, 4);
    }
    expect(units.flatMap((unit) => [...unit]).every((value) => value >= 0)).toBe(true);
    // What the network was given stays to be shown, and is learned from no more.
    expect(frame.columns.find(({ name }) => name === 'a')?.role).toBe('info');
  });

  it('takes the test rows alone unless told otherwise', async () => {
    const frame = await readFrame((await encode({}, { splits: [path.join(folder, 'splits.arrow')] })).path('frame'));
    expect(frame.rows).toBe(ROWS / 4);
    const [ids] = frame.columns;
    expect([...numbersOf(ids as FrameColumn)].every((row) => row % 4 === 3)).toBe(true);
    await expect(encode({})).rejects.toThrow(/needs the split/);
  });

  it('refuses rows without a feature that the network learned from', async () => {
    const frame = await readFrame(path.join(folder, 'features.arrow'));
    const other = path.join(await temporaryFolder(), 'other.arrow');
    await writeFrame(other, { ...frame, columns: frame.columns.filter(({ name }) => name !== 'b') });
    await expect(encode({ set: 'all' }, { features: [other] })).rejects.toThrow(/no column "b"/);
  });

  it('refuses an infinite feature, by name and row', async () => {
    const frame = await readFrame(path.join(folder, 'features.arrow'));
    const other = path.join(await temporaryFolder(), 'other.arrow');
    const columns = frame.columns.map((column) =>
      column.name === 'a' && column.type === 'number'
        ? { ...column, values: column.values.map((x, row) => (row === 9 ? -Infinity : x)) }
        : column,
    );
    await writeFrame(other, { ...frame, columns });
    await expect(encode({ set: 'all' }, { features: [other] })).rejects.toThrow('feature "a" is -Infinity in row 9');
  });

  it('refuses activations that overflow, by row, rather than call them missing', async () => {
    const { metadata, arrays } = decodeContainer(await readFile(model), 'model');
    const huge = arrays.map((array) => {
      if (array.type !== 'F32' || array.shape.length < 2) return array;
      return { ...array, bytes: new Uint8Array(new Float32Array(array.bytes.length / 4).fill(1e38).buffer) };
    });
    const overflowing = path.join(await temporaryFolder(), 'overflowing.model');
    await writeFile(overflowing, encodeContainer({ metadata, arrays: huge }));
    await expect(encode({ set: 'all' }, { model: [overflowing] })).rejects.toThrow(
      /the network gives row \d+ the activation (NaN|Infinity) in its unit 0/,
    );
  });
});
