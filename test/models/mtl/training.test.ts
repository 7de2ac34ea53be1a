import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeContainer, encodeContainer } from '../../../src/models/mtl/container.ts';
import { layoutOf } from '../../../src/models/mtl/layout.ts';
import { Network } from '../../../src/models/mtl/network.ts';
import { applyScaler, fitScaler } from '../../../src/models/mtl/scaler.ts';
import { endEpoch, type ScheduleState, startSchedule } from '../../../src/models/mtl/schedule.ts';
import { batchStarts } from '../../../src/models/mtl/stack.ts';
import { type TrainingOptions, trainNetwork } from '../../../src/models/mtl/training.ts';
import { Workspace } from '../../../src/models/mtl/workspace.ts';
import { makeRng } from '../../../src/random/rng.ts';
import type { Frame } from '../../../src/tables/frame.ts';
import { buildKernels, describeEngines, everyHead, fingerprint, flat, randomData, rowsOf } from './support.ts';

beforeAll(buildKernels);

describe('batches', () => {
  it('cover every row once, and none has a single row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 2, max: 64 }), (rows, size) => {
        const starts = batchStarts(rows, size);
        const lengths = starts.map((first, i) => (starts[i + 1] ?? rows) - first);
        expect(lengths.reduce((a, b) => a + b)).toBe(rows);
        expect(Math.min(...lengths)).toBeGreaterThanOrEqual(2);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(size + 1);
      }),
    );
  });
});

describe('the schedule', () => {
  const options = { plateau: { factor: 0.5, patience: 3 }, earlyStopping: { patience: 5 } };

  function follow(losses: readonly number[]): { rates: number[]; state: ScheduleState; stoppedAt: number | undefined } {
    let state = startSchedule(1);
    const rates: number[] = [];
    for (const [i, loss] of losses.entries()) {
      const step = endEpoch(state, i + 1, loss, options);
      state = step.state;
      rates.push(state.learningRate);
      if (step.stop) return { rates, state, stoppedAt: i + 1 };
    }
    return { rates, state, stoppedAt: undefined };
  }

  // torch 2: ReduceLROnPlateau(factor=.5, patience=3) halves after the fourth epoch that is no better.
  it('halves the rate after the fourth epoch without a fall, as torch does', () => {
    expect(follow([3, 2, 2, 2, 2, 2]).rates).toEqual([1, 1, 1, 1, 1, 0.5]);
  });
  it('stops five epochs after the best', () => {
    expect(follow([3, 2, 2.5, 2.4, 2.3, 2.2, 2.1, 1])).toMatchObject({
      stoppedAt: 7,
      state: { bestEpoch: 2, bestLoss: 2 },
    });
  });
  it('keeps a best that is too small a fall for the plateau rule', () => {
    expect(follow([1, 0.99999]).state).toMatchObject({ bestEpoch: 2, bestLoss: 0.99999, badEpochs: 1 });
  });
});

describeEngines('training', (products, engine) => {
  const shape = { inputs: 3, hidden: [8], heads: [{ kind: 'regression' as const, outputs: 1 }] };
  const options: TrainingOptions = {
    learningRate: 0.02,
    weightDecay: 0,
    decoupled: false,
    clipNorm: 1,
    dropout: [0],
    weights: [1],
    batchSize: 16,
    epochs: 40,
    plateau: { factor: 0.5, patience: 3 },
    earlyStopping: { patience: 5 },
  };

  function setUp(): Network {
    const rng = makeRng('line');
    const features = Float32Array.from({ length: 300 }, () => rng.normal());
    const targets = Float32Array.from({ length: 100 }, (_, i) => {
      const [a = 0, b = 0] = features.subarray(i * 3);
      return a - 0.5 * b + 0.3 * rng.normal();
    });
    const network = new Network(new Workspace(shape, 17, products));
    network.loadData(100, features, targets);
    return network;
  }

  const hooks = {
    rng: (purpose: string) => makeRng(purpose),
    cancelled: () => false,
    save: async () => {},
    progress: () => {},
  };

  it('keeps the weights of its best epoch and stops by itself', async () => {
    const network = setUp();
    const result = await trainNetwork(network, rowsOf(60), rowsOf(40, 60), options, hooks);
    const losses = result?.history.map((record) => record.validationLoss as number) ?? [];
    expect(losses.length).toBeLessThan(40);
    expect(result?.bestLoss).toBe(Math.min(...losses));
    expect(losses.indexOf(Math.min(...losses)) + 1).toBe(result?.bestEpoch);
    let sum = 0;
    for (const first of [60, 77, 94]) {
      network.measure(rowsOf(Math.min(17, 100 - first), first));
      sum += network.losses[0] as number;
    }
    expect(sum / 40).toBeCloseTo(Math.min(...losses), 6);
    expect(Math.min(...losses)).toBeLessThan(0.3);
  });

  // OpenBLAS has other bits on other processors.
  if (engine === 'wasm')
    it('has pinned bits: the same on every machine', async () => {
      const every = { inputs: 5, hidden: [13, 7], heads: everyHead };
      const { x, y } = randomData(every, 100, makeRng('every'), 0.2);
      const network = new Network(new Workspace(every, 17, products));
      network.loadData(100, flat(x), flat(y));
      const settings = { ...options, dropout: [0.3, 0.2], weights: everyHead.map(() => 1), epochs: 5 };
      await trainNetwork(network, rowsOf(60), rowsOf(40, 60), settings, hooks);
      expect(fingerprint(network.region('parameters'))).toMatchInlineSnapshot(`2347997277`);
    });

  it('stopped at any moment, goes on to the same weights', async () => {
    const whole = setUp();
    let questions = 0;
    const counting = () => ++questions < 0;
    const data = [rowsOf(60), rowsOf(40, 60), options] as const;
    const expected = await trainNetwork(whole, ...data, { ...hooks, cancelled: counting });
    expect(questions).toBeGreaterThan(50);
    for (let stop = 1; stop <= questions; stop += 7) {
      let asked = 0;
      let saved: Uint8Array | undefined;
      const save = async (bytes: Uint8Array): Promise<void> => {
        saved = bytes;
      };
      const stopped = await trainNetwork(setUp(), ...data, { ...hooks, cancelled: () => ++asked >= stop, save });
      expect(stopped).toBeUndefined();
      const resumed = setUp();
      expect(await trainNetwork(resumed, ...data, hooks, saved)).toEqual(expected);
      expect(resumed.region('parameters')).toEqual(whole.region('parameters'));
      expect(resumed.region('running')).toEqual(whole.region('running'));
    }
  });

  it('saves at ends of epochs once there is work worth it, and those checkpoints resume too', async () => {
    const wide = { inputs: 3, hidden: [1500, 1500], heads: shape.heads };
    const make = (): Network => {
      const network = new Network(new Workspace(wide, 24, products));
      const rng = makeRng('wide');
      const draw = (length: number) => Float32Array.from({ length }, () => rng.normal());
      network.loadData(600, draw(1800), draw(600));
      return network;
    };
    const data = [rowsOf(600), rowsOf(0), { ...options, batchSize: 24, dropout: [0.5, 0.5], epochs: 3 }] as const;
    const checkpoints: Uint8Array[] = [];
    const save = async (bytes: Uint8Array): Promise<void> => {
      checkpoints.push(bytes);
    };
    const whole = make();
    await trainNetwork(whole, ...data, { ...hooks, save });
    // 2.3 million weights times 600 rows: less than the limit an epoch, more in two.
    expect(checkpoints).toHaveLength(1);
    const resumed = make();
    await trainNetwork(resumed, ...data, hooks, checkpoints[0]);
    const [a, b] = [resumed, whole].map((network) => Buffer.from(network.regionBytes('parameters'))) as [
      Buffer,
      Buffer,
    ];
    expect(a.equals(b)).toBe(true);
  });

  it('refuses the checkpoint of another network', async () => {
    let saved: Uint8Array | undefined;
    const save = async (bytes: Uint8Array): Promise<void> => {
      saved = bytes;
    };
    await trainNetwork(setUp(), rowsOf(60), rowsOf(0), options, { ...hooks, save, cancelled: () => true });
    const other = new Network(new Workspace({ ...shape, hidden: [99] }, 17, products));
    other.loadData(100, new Float32Array(300), new Float32Array(100));
    await expect(trainNetwork(other, rowsOf(60), rowsOf(0), options, hooks, saved)).rejects.toThrow(/another network/);
  });
});

describe('standardisation', () => {
  const frame = (values: number[]): Frame => ({
    rows: values.length,
    columns: [{ name: 'usd', role: 'feature', type: 'number', values: Float64Array.from(values) }],
  });

  it('uses the mean and population deviation of the training rows alone', () => {
    const [feature] = fitScaler(frame([1, 3, NaN, 1000]), ['usd'], rowsOf(3));
    expect(feature).toEqual({ name: 'usd', mean: 2, deviation: 1 });
    const { values, imputed } = applyScaler(frame([1, 3, NaN, 1000]), [feature as NonNullable<typeof feature>]);
    expect([...values]).toEqual([-1, 1, 0, 998]);
    expect(imputed).toEqual([1]);
  });

  it('divides a constant by 1, even one that rounding makes almost constant', () => {
    expect(fitScaler(frame([0.1, 0.1, 0.1]), ['usd'], rowsOf(3))[0]?.deviation).toBe(1);
    expect(fitScaler(frame([0, 0]), ['usd'], rowsOf(2))[0]).toEqual({ name: 'usd', mean: 0, deviation: 1 });
  });

  it('refuses by column and row what squares or single precision would make infinite', () => {
    expect(() => fitScaler(frame([1, 2, -1e200]), ['usd'], rowsOf(2))).toThrow('feature "usd" is -1e+200 in row 2');
    const features = fitScaler(frame([1, 3]), ['usd'], rowsOf(2));
    expect(applyScaler(frame([3e38]), features).values[0]).toBe(Math.fround(3e38));
    expect(() => applyScaler(frame([2, -1e39]), features)).toThrow(
      'feature "usd" is -1e+39 in row 1, -1.0e+39 deviations from its training mean',
    );
  });
});

describe('model files', () => {
  it('are safetensors: length, header at a multiple of eight, data', () => {
    const bytes = encodeContainer({
      metadata: { a: 'é' },
      arrays: [{ name: 'w', type: 'F32', shape: [1], bytes: Uint8Array.of(0, 0, 128, 63) }],
    });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header).toEqual({
      __metadata__: { fathom: '{"a":"é"}' },
      w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    });
    expect(new DataView(bytes.buffer).getFloat32(8 + length, true)).toBe(1);
    expect(decodeContainer(bytes, 'x').metadata).toEqual({ a: 'é' });
  });

  it('that are cut short or foreign are refused by name', () => {
    const bytes = encodeContainer({
      metadata: {},
      arrays: [{ name: 'w', type: 'F32', shape: [2], bytes: new Uint8Array(8) }],
    });
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeContainer(bytes.subarray(0, length), 'mtl.model')).toThrow(/^mtl\.model: not a model file/);
    expect(() => decodeContainer(new Uint8Array(100).fill(65), 'mtl.model')).toThrow(/mtl\.model/);
  });
});

describe('layout', () => {
  it('gives every tensor room of its own', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        (inputs, hidden) => {
          const layout = layoutOf({ inputs, hidden, heads: [{ kind: 'tanh', outputs: 3 }] });
          for (const region of ['parameters', 'running'] as const) {
            const used = new Uint8Array(layout[region]);
            let size = 0;
            for (const tensor of layout.tensors.filter((t) => t.region === region)) {
              size += tensor.rows * tensor.columns;
              for (let i = 0; i < tensor.rows; i++) {
                const start = tensor.offset + i * tensor.stride;
                used.fill(1, start, start + tensor.columns);
              }
            }
            expect(used.reduce((sum, value) => sum + value, 0)).toBe(size);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
