/** Networks of one shape on the same data, trained side by side: what every engine of stacks offers. */
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
  /** Names the stream of dropout masks: 32 bits. */
  readonly dropoutSeed: number;
}

/** What a network learns, and the moments of Adam; laid out by `layoutOf`. */
export const memberRegions = ['parameters', 'first', 'second', 'running'] as const;
export type MemberRegion = (typeof memberRegions)[number];

/** Where a network of a stack stands. */
export interface MemberReport extends LossSums {
  /** Norm of the last gradient before clipping. */
  readonly norm: number;
  /** True once a norm was not finite. The network is worth nothing then; the others go on. */
  readonly diverged: boolean;
}

export interface Stack {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  /** Networks; they are numbered from 0. */
  readonly size: number;
  write(network: number, region: MemberRegion, values: Float32Array): void;
  read(network: number, region: MemberRegion): Float32Array;
  /** Sets what a network is trained with from the next step on. */
  configure(network: number, settings: MemberSettings): void;
  /** Steps of Adam that a network has done: what corrects the bias of its moments. 0 at first. */
  setSteps(network: number, steps: number): void;
  /**
   * Trains batches `from` to `to` (exclusive) of an epoch, for each of `networks`. `orders[i]` is the order in which
   * network `networks[i]` takes the rows; networks may share one array. All orders are of one length. Returns sums
   * over these batches.
   */
  train(networks: readonly number[], orders: readonly Uint32Array[], from: number, to: number): MemberReport[];
  /** Losses of rows with the running statistics and without dropout. */
  measure(networks: readonly number[], rows: Uint32Array): LossSums[];
  /** Outputs of rows, row-major with `layout.heads.paddedOutputs` columns. */
  predict(network: number, rows: Uint32Array): Float32Array;
  free(): void;
}
