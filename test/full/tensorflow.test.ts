import { beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceOptions, compareStack, type StackEngine } from '../../src/models/mtl/conformance.ts';
import { counterMasks } from '../../src/models/mtl/counter-masks.ts';
import { networkStacks } from '../../src/models/mtl/network-stack.ts';
import type { NetworkShape } from '../../src/models/mtl/shape.ts';
import { initialWeights } from '../../src/models/mtl/stack.ts';
import type { TensorFlow } from '../../src/models/mtl/tensorflow/api.ts';
import { TensorflowStack } from '../../src/models/mtl/tensorflow/stack.ts';
import { thisMachine } from '../../src/native/system.ts';
import { loadTensorflow, searchTensorflow } from '../../src/native/tensorflow.ts';
import { makeRng } from '../../src/random/rng.ts';
import { buildKernels, everyHead, flat, randomData } from '../models/mtl/support.ts';

beforeAll(buildKernels);

const found = searchTensorflow(thisMachine());
const title = found.found
  ? 'a stack on TensorFlow.js'
  : `a stack on TensorFlow.js (left out: ${found.reason}; \`make tensorflow\`)`;
const odd: NetworkShape = { inputs: 5, hidden: [13, 7], heads: everyHead };
const usual = { shape: odd, networks: 2, batchSize: 12, trainRows: 30, steps: 20, reload: 5, dropout: 0.3 };

describe.skipIf(!found.found)(title, () => {
  const engine: StackEngine = {
    make: (request) => new TensorflowStack(loadTensorflow().tf as TensorFlow, request),
    masks: counterMasks,
  };

  it.each<[string, Partial<ConformanceOptions>]>([
    ['small batches, the last one smaller', {}],
    ['no dropout, every target present', { dropout: 0, missing: 0 }],
    ['a last batch that takes the row left over', { trainRows: 25 }],
    ['one network, 200 steps', { networks: 1, steps: 200 }],
  ])('takes the steps of the oracle: %s', (_, change) => {
    const worst = compareStack(engine, { ...usual, ...change });
    expect(worst.loss).toBeLessThan(1e-4);
    expect(worst.norm).toBeLessThan(1e-4);
    expect(worst.moments).toBeLessThan(1e-5);
    expect(worst.weights).toBeLessThan(1e-4);
    expect(worst.running).toBeLessThan(1e-4);
  });

  it('predicts as the kernels do with the same weights, and keeps its state', () => {
    const { x, y } = randomData(odd, 40, makeRng('tf'), 0.2);
    const request = { shape: odd, networks: 1, batchSize: 12, trainRows: 30, features: flat(x), targets: flat(y) };
    const kernels = networkStacks().make(request);
    const { parameters, running } = initialWeights(odd, kernels.layout, makeRng('init'));
    const [stack, other] = [engine.make(request), engine.make(request)];
    for (const one of [kernels, stack]) {
      one.write(0, 'parameters', parameters);
      one.write(0, 'running', running);
    }
    const rows = Uint32Array.from({ length: 40 }, (_, i) => i);
    const [ours, theirs] = [kernels.predict(0, rows), stack.predict(0, rows)];
    for (const [i, value] of ours.entries()) expect(Math.abs(value - (theirs[i] as number))).toBeLessThan(1e-5);
    other.restore(0, stack.state(0));
    expect(other.state(0)).toEqual(stack.state(0));
    stack.free();
    other.free();
  });
});
