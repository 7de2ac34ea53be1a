/** The training step against PyTorch itself: `golden/from-torch.json`, written by `golden/from_torch.py`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Network, type Update } from '../../../src/models/mtl/network.ts';
import type { HeadShape } from '../../../src/models/mtl/shape.ts';
import { Workspace } from '../../../src/models/mtl/workspace.ts';
import { buildKernels, describeEngines, rowsOf } from './support.ts';

interface Golden {
  inputs: number;
  hidden: number[];
  heads: HeadShape[];
  weights: number[];
  batch: number;
  x: number[];
  y: (number | null)[];
  /** By name of tensor; matrices are outputs x inputs. */
  start: Record<string, number[]>;
  runs: Record<string, { update: Update; losses: number[]; norms: number[]; end: Record<string, number[]> }>;
}

const golden = JSON.parse(readFileSync(path.join(import.meta.dirname, 'golden/from-torch.json'), 'utf8')) as Golden;

beforeAll(buildKernels);

function load(network: Network, tensors: Record<string, number[]>): void {
  for (const { name, region, rows, columns, offset, stride } of network.layout.tensors)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        network.region(region)[offset + i * stride + j] = tensors[name]?.[j * rows + i] as number;
}

describeEngines('takes the steps that torch takes', (products) => {
  it.each(Object.keys(golden.runs))('%s', (name) => {
    const { update, losses, norms, end } = golden.runs[name] as Golden['runs'][string];
    const network = new Network(new Workspace(golden, golden.batch, products));
    load(network, golden.start);
    const y = Float32Array.from(golden.y, (value) => value ?? Number.NaN);
    network.loadData(golden.batch * 2, Float32Array.from(golden.x), y);
    for (const [step, loss] of losses.entries()) {
      network.gradients(rowsOf(golden.batch, golden.batch * (step % 2)), {
        dropout: golden.hidden.map(() => 0),
        weights: golden.weights,
      });
      expect(weightedLoss(network)).toBeCloseTo(loss, 4);
      expect(network.update(update)).toBeCloseTo(norms[step] as number, 3);
    }
    for (const { name: tensor, region, rows, columns, offset, stride } of network.layout.tensors)
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) {
          const value = network.region(region)[offset + i * stride + j] as number;
          expect(Math.abs(value - (end[tensor]?.[j * rows + i] as number)), `${tensor} ${i} ${j}`).toBeLessThan(1e-3);
        }
  });
});

function weightedLoss(network: Network): number {
  let first = 0;
  return golden.heads.reduce((total, head, h) => {
    const part = (values: Float32Array): number =>
      values.subarray(first, first + head.outputs).reduce((sum, value) => sum + value, 0);
    const count = part(network.counts) / (head.kind === 'multiclass' ? head.outputs : 1);
    const mean = part(network.losses) / count;
    first += head.outputs;
    return total + (golden.weights[h] as number) * mean;
  }, 0);
}
