/** A stack of networks in the kernels' memory, trained in turns of some steps each. */

import { FathomError } from '../../errors.ts';
import { MOST_BYTES, type Products } from '../../kernels/kernels.ts';
import type { Rng } from '../../random/rng.ts';
import { type Layout, layoutOf } from './layout.ts';
import { addSums, type LossSums } from './losses.ts';
import { Network, networkBytes, stateRegions } from './network.ts';
import type { NetworkShape } from './shape.ts';
import {
  batchStarts,
  largestBatch,
  type MemberRegion,
  type MemberSettings,
  type Stack,
  type StackMaker,
  type StackRequest,
  type StatePart,
  type StepReport,
} from './stack.ts';
import { Workspace, workspaceBytes } from './workspace.ts';

/** Parameters and moments of one network fill the second-level cache: fewer steps at a time would reload them. */
const TURN = 16;

export class NetworkStack implements Stack {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  readonly size: number;
  readonly turn: number;
  readonly measuredAtOnce: number;
  readonly #networks: readonly Network[];
  readonly #starts: readonly number[];
  readonly #trainRows: number;
  readonly #settings = new Map<number, MemberSettings>();

  /** @param networks of one shape, their data loaded, with room for the largest batch */
  constructor(networks: readonly Network[], trainRows: number, batchSize: number) {
    const [first] = networks;
    if (first === undefined) throw new Error('a stack of no networks');
    this.shape = first.shape;
    this.layout = first.layout;
    this.size = networks.length;
    this.turn = networks.length === 1 ? 1 : TURN;
    this.measuredAtOnce = first.maxRows;
    this.#networks = networks;
    this.#starts = batchStarts(trainRows, batchSize);
    this.#trainRows = trainRows;
  }

  #network(index: number): Network {
    return this.#networks[index] as Network;
  }

  read(network: number, region: MemberRegion): Float32Array {
    return this.#network(network).region(region).slice();
  }

  write(network: number, region: MemberRegion, values: Float32Array): void {
    this.#network(network).region(region).set(values);
  }

  state(network: number): StatePart[] {
    return stateRegions.map((name) => ({ name, bytes: this.#network(network).regionBytes(name).slice() }));
  }

  restore(network: number, parts: readonly StatePart[]): void {
    for (const name of stateRegions) {
      const part = parts.find((one) => one.name === name);
      if (part !== undefined) this.#network(network).regionBytes(name).set(part.bytes);
    }
  }

  configure(network: number, settings: MemberSettings): void {
    this.#settings.set(network, settings);
  }

  seedDropout(network: number, rng: Rng): void {
    this.#network(network).seedDropout(rng);
  }

  train(
    networks: readonly number[],
    orders: readonly Uint32Array[],
    from: number,
    to: number,
    sums: readonly LossSums[],
  ): StepReport[] {
    return networks.map((index, i) => {
      const network = this.#network(index);
      const settings = this.#settings.get(index) as MemberSettings;
      const order = orders[i] as Uint32Array;
      let norm = 0;
      for (let batch = from; batch < to; batch++) {
        network.gradients(order.subarray(this.#starts[batch], this.#starts[batch + 1] ?? this.#trainRows), settings);
        addSums(sums[i] as LossSums, network);
        norm = network.update(settings);
        if (!Number.isFinite(norm)) break;
      }
      return { norm, diverged: !Number.isFinite(norm) };
    });
  }

  measure(networks: readonly number[], rows: Uint32Array, sums: readonly LossSums[]): void {
    for (const [i, index] of networks.entries()) {
      const network = this.#network(index);
      for (let first = 0; first < rows.length; first += network.maxRows) {
        network.measure(rows.subarray(first, first + network.maxRows));
        addSums(sums[i] as LossSums, network);
      }
    }
  }

  predict(network: number, rows: Uint32Array): Float32Array {
    const { maxRows, layout } = this.#network(network);
    const width = layout.heads.paddedOutputs;
    const outputs = new Float32Array(rows.length * width);
    for (let first = 0; first < rows.length; first += maxRows)
      outputs.set(this.#network(network).predict(rows.subarray(first, first + maxRows)), first * width);
    return outputs;
  }

  /** The memory goes with the last reference to the networks. */
  free(): void {
    this.#settings.clear();
  }
}

/** Rows that are measured at a time: small batches would pack the weights anew for a few rows. */
const MEASURED_ROWS = 256;

/**
 * Makes stacks on the kernels' memory; `products` does the matrix products, the kernels' own if absent. Networks share
 * one memory with the data in it, so there are as many at a time as fit beside the data.
 */
export function networkStacks(products?: Products): StackMaker {
  const make = ({ shape, networks, batchSize, trainRows, features, targets }: StackRequest): Stack => {
    if (networks < 1) throw new FathomError('experiment', `a stack of ${networks} networks; it needs at least one`);
    const workspace = new Workspace(shape, roomFor(trainRows, batchSize), products);
    workspace.loadData(features.length / shape.inputs, features, targets);
    const list = Array.from({ length: networks }, () => new Network(workspace));
    return new NetworkStack(list, trainRows, batchSize);
  };
  const capacity = ({ shape, batchSize, trainRows, features }: StackRequest): number => {
    const layout = layoutOf(shape);
    const shared = workspaceBytes(layout, roomFor(trainRows, batchSize), features.length / shape.inputs);
    return Math.max(1, Math.floor((MOST_BYTES - shared) / networkBytes(layout)));
  };
  return { make, capacity };
}

/** Rows of the largest batch that a stack must hold. */
function roomFor(trainRows: number, batchSize: number): number {
  return Math.max(largestBatch(trainRows, batchSize), MEASURED_ROWS);
}
