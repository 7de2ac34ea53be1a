/** Networks of one shape on the same data, trained side by side: what every engine of stacks offers. */

import type { Rng } from '../../random/rng.ts';
import type { Layout } from './layout.ts';
import type { LossSums } from './losses.ts';
import type { NetworkShape } from './shape.ts';

/** What may differ between the networks of a stack. */
export interface MemberSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** AdamW: decay the weights themselves. */
  readonly decoupled: boolean;
  /** Largest norm of the whole gradient. */
  readonly clipNorm: number;
  /** Rate after each hidden layer, in [0, 1). */
  readonly dropout: readonly number[];
  /** Weight of each head in the loss. */
  readonly weights: readonly number[];
}

/** What a network learns, and the moments of Adam; laid out by `layoutOf`. */
export const memberRegions = ['parameters', 'first', 'second', 'running'] as const;
export type MemberRegion = (typeof memberRegions)[number];

/** What a stack is made for. */
export interface StackRequest {
  readonly shape: NetworkShape;
  readonly networks: number;
  /** Rows of a batch, at least 2. A last batch of one row joins the one before it. */
  readonly batchSize: number;
  /** Rows of an epoch: the length of every order. */
  readonly trainRows: number;
  /** rows x inputs. */
  readonly features: Float32Array;
  /** rows x outputs, NaN where missing. */
  readonly targets: Float32Array;
}

/** How the last step of a network went. */
export interface StepReport {
  /** Norm of the gradient before clipping. */
  readonly norm: number;
  /** True once a norm was not finite. The network is worth nothing then; the others go on. */
  readonly diverged: boolean;
}

/** A part of a network's state, for checkpoints. */
export interface StatePart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Stack {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  /** Networks; they are numbered from 0. */
  readonly size: number;
  /** Batches that `train` is best given at a time. */
  readonly turn: number;
  /** Rows that `measure` and `predict` are best given at a time. */
  readonly measuredAtOnce: number;
  /** Values of a region, padding included, as `layoutOf` says. */
  read(network: number, region: MemberRegion): Float32Array;
  write(network: number, region: MemberRegion, values: Float32Array): void;
  /** All that training a network further depends on, and back. */
  state(network: number): StatePart[];
  restore(network: number, parts: readonly StatePart[]): void;
  /** Sets what a network is trained with from the next step on. */
  configure(network: number, settings: MemberSettings): void;
  /** Starts the stream of a network's dropout masks. */
  seedDropout(network: number, rng: Rng): void;
  /**
   * Trains batches `from` to `to` (exclusive) of an epoch, for each of `networks`. `orders[i]` is the order in which
   * network `networks[i]` takes the rows; networks may share one array. Losses are added to `sums[i]`.
   */
  train(
    networks: readonly number[],
    orders: readonly Uint32Array[],
    from: number,
    to: number,
    sums: readonly LossSums[],
  ): StepReport[];
  /** Adds the losses of rows to `sums[i]`, with the running statistics and without dropout. */
  measure(networks: readonly number[], rows: Uint32Array, sums: readonly LossSums[]): void;
  /** Outputs of rows, row-major with `layout.heads.paddedOutputs` columns. */
  predict(network: number, rows: Uint32Array): Float32Array;
  free(): void;
}

/** An engine of stacks. */
export interface StackMaker {
  make(request: StackRequest): Stack;
  /** Most networks that fit at once; the rest is trained after them. Absent: any number. */
  capacity?(request: StackRequest): number;
}

/** Cuts a stack that does not fit into parts of nearly equal size that do. */
export function partsOf(networks: number, fitting: number): number[] {
  const parts = Math.ceil(networks / fitting);
  return Array.from(
    { length: parts },
    (_, i) => Math.floor((networks * (i + 1)) / parts) - Math.floor((networks * i) / parts),
  );
}

/** First rows of the batches. One row cannot be normalised, so a single last row joins the batch before it. */
export function batchStarts(rows: number, batchSize: number): number[] {
  const starts: number[] = [];
  for (let first = 0; first < rows; first += batchSize) starts.push(first);
  if (starts.length > 1 && rows - (starts.at(-1) as number) === 1) starts.pop();
  return starts;
}

/** Rows of the largest batch, which may be one more than asked. */
export function largestBatch(rows: number, batchSize: number): number {
  const starts = batchStarts(rows, batchSize);
  return starts.reduce((largest, first, i) => Math.max(largest, (starts[i + 1] ?? rows) - first), 0);
}

/**
 * Weights as torch draws them: uniform within 1 / sqrt(inputs), bias of the heads likewise, gamma 1, beta 0; running
 * means 0, variances 1.
 */
export function initialWeights(
  shape: NetworkShape,
  layout: Layout,
  rng: Rng,
): Record<'parameters' | 'running', Float32Array> {
  const parameters = new Float32Array(layout.parameters);
  const running = new Float32Array(layout.running);
  for (const tensor of layout.tensors) {
    if (tensor.region !== 'parameters' || tensor.name.includes('.norm.')) continue;
    const inputs = tensor.name === 'heads.bias' ? (shape.hidden.at(-1) as number) : tensor.rows;
    const bound = 1 / Math.sqrt(inputs);
    for (let row = 0; row < tensor.rows; row++)
      for (let column = 0; column < tensor.columns; column++)
        parameters[tensor.offset + row * tensor.stride + column] = (2 * rng.uniform() - 1) * bound;
  }
  for (const [i, layer] of layout.layers.entries()) {
    parameters.fill(1, layer.gamma, layer.gamma + (shape.hidden[i] as number));
    running.fill(1, layer.runningVariance, layer.runningVariance + layer.paddedUnits);
  }
  return { parameters, running };
}
