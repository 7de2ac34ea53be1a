/**
 * A stack of networks on one GPU. The data stays there; a step is a chain of kernels whose blocks are spread over all
 * networks, captured as a CUDA graph. See kernels/cuda for the arithmetic.
 */
import { FathomError } from '../../../errors.ts';
import type { Cuda, DevicePointer, Kernel } from '../../../native/cuda.ts';
import { exp } from '../../../numeric/elementary.ts';
import type { Rng } from '../../../random/rng.ts';
import { maskSeed, maskThreshold } from '../counter-masks.ts';
import { type Layout, layoutOf } from '../layout.ts';
import type { LossSums } from '../losses.ts';
import { firstOutputs, type NetworkShape, outputFunction, outputsOf } from '../shape.ts';
import {
  largestBatch,
  type MemberRegion,
  type MemberSettings,
  memberRegions,
  type Stack,
  type StackRequest,
  type StatePart,
  type StepReport,
} from '../stack.ts';
import { bytesOf, networksThatFit, stackMemory } from './memory.ts';
import { type StackSizes, stackSizes } from './shape-source.ts';

/** Batches between two looks at the host: long enough to hide them, short enough to stop soon. */
const TURN = 256;
/** Steps of one graph: launching it costs as much as one step of a few networks. */
const STEPS_OF_GRAPH = 16;
const MEASURED_BATCHES = 64;
const THREADS = 128;
const ADAM_PARAMETERS = THREADS * 2 * 4;

/** Words of a `Member` before its lists; see kernels/cuda/stack.cuh. */
const member = {
  dropoutSeed: 0,
  order: 1,
  epochStart: 2,
  step: 3,
  learningRate: 4,
  weightDecay: 5,
  clipNorm: 6,
  decoupled: 7,
  norm: 8,
  diverged: 9,
  lists: 10,
} as const;

/** One launch of a step; the networks are its third dimension. */
interface Launch {
  readonly kernel: Kernel;
  readonly blocks: number;
  readonly extra?: readonly Uint8Array[];
}

/** A step captured once, and several in a row. */
interface Graphs {
  readonly many: ReturnType<Cuda['capture']>;
  readonly one: ReturnType<Cuda['capture']>;
}

type Name = keyof ReturnType<typeof stackMemory>['each'] | keyof ReturnType<typeof stackMemory>['shared'];

/** The pointers of `Stack` in kernels/cuda/stack.cuh, in its order. */
const pointerOrder: readonly Name[] = [
  'parameters',
  'gradient',
  'first',
  'second',
  'running',
  'members',
  'active',
  'features',
  'targets',
  'orders',
  'measured',
  'z',
  'activations',
  'slopes',
  'statistics',
  'outputs',
  'logSums',
  'norms',
  'sums',
];

export class CudaStack implements Stack {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  readonly size: number;
  readonly turn = TURN;
  readonly measuredAtOnce: number;
  readonly #cuda: Cuda;
  readonly #sizes: StackSizes;
  readonly #request: StackRequest;
  readonly #kernel: (name: string) => Kernel;
  readonly #at: Readonly<Record<Name, DevicePointer>>;
  /** Members as the host last set them; the device moves `step`, `norm` and `diverged`. */
  readonly #members: Uint32Array;
  #active: readonly number[] = [];
  /** The orders of rows that lie on the device. */
  #orders: readonly Uint32Array[] = [];
  #graphs: Graphs | undefined;

  /** @param image the kernels compiled for this shape and `largestBatch` rows */
  constructor(cuda: Cuda, image: Uint8Array, request: StackRequest) {
    const { shape, networks, batchSize, trainRows, features } = request;
    const rows = largestBatch(trainRows, batchSize);
    const dataRows = features.length / shape.inputs;
    if (!Number.isInteger(networks) || networks < 1)
      throw new FathomError('internal', `a stack of ${networks} networks`);
    const memory = stackMemory(shape, rows, dataRows);
    const [needed, free] = [bytesOf(memory, networks), cuda.freeBytes()];
    const fitting = networksThatFit(memory, free);
    if (networks > fitting)
      throw new FathomError(
        'task',
        `${networks} networks need ${gigabytes(needed)} GB on the GPU, ${gigabytes(free)} GB are free`,
        { hint: fitting === 0 ? 'not even one fits: use smaller batches or less data' : `at most ${fitting} fit` },
      );
    this.shape = shape;
    this.layout = layoutOf(shape);
    this.size = networks;
    this.measuredAtOnce = MEASURED_BATCHES * rows;
    this.#cuda = cuda;
    this.#request = request;
    this.#sizes = stackSizes(shape, rows);
    this.#kernel = cuda.load(image);
    const at = {} as Record<Name, DevicePointer>;
    for (const [name, bytes] of Object.entries(memory.shared)) at[name as Name] = cuda.allocate(bytes);
    for (const [name, bytes] of Object.entries(memory.each)) at[name as Name] = cuda.allocate(bytes * networks);
    this.#at = at;
    this.#members = new Uint32Array(networks * this.#sizes.memberWords);
    this.#upload('features', padRows(features, dataRows, shape.inputs, this.layout.paddedInputs));
    this.#upload('targets', padRows(request.targets, dataRows, outputsOf(shape), this.#sizes.outputs));
  }

  write(network: number, region: MemberRegion, values: Float32Array): void {
    this.#cuda.upload(this.#at[region] + BigInt(network * this.#length(region) * 4), asBytes(values));
  }

  read(network: number, region: MemberRegion): Float32Array {
    const bytes = this.#length(region) * 4;
    return new Float32Array(this.#cuda.download(this.#at[region] + BigInt(network * bytes), bytes).buffer);
  }

  #length(region: MemberRegion): number {
    return region === 'running' ? this.layout.running : this.layout.parameters;
  }

  configure(network: number, settings: MemberSettings): void {
    const { hidden, heads } = this.shape;
    const words = this.#wordsOf(network);
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    floats[member.learningRate] = settings.learningRate;
    floats[member.weightDecay] = settings.weightDecay;
    floats[member.clipNorm] = settings.clipNorm;
    words[member.decoupled] = settings.decoupled ? 1 : 0;
    for (let l = 0; l < hidden.length; l++) {
      const threshold = maskThreshold(settings.dropout[l] ?? 0);
      words[member.lists + l] = threshold;
      floats[member.lists + hidden.length + l] = 2 ** 32 / (2 ** 32 - threshold);
    }
    for (let h = 0; h < heads.length; h++) floats[member.lists + 2 * hidden.length + h] = settings.weights[h] ?? 1;
  }

  seedDropout(network: number, rng: Rng): void {
    this.#wordsOf(network)[member.dropoutSeed] = maskSeed(rng);
  }

  state(network: number): StatePart[] {
    const words = this.#wordsOf(network);
    return [
      ...memberRegions.map((name) => ({ name, bytes: asBytes(this.read(network, name)) })),
      { name: 'counters', bytes: asBytes(words.slice(0, member.learningRate)) },
    ];
  }

  restore(network: number, parts: readonly StatePart[]): void {
    for (const { name, bytes } of parts) {
      const region = memberRegions.find((one) => one === name);
      if (region !== undefined) this.#cuda.upload(this.#at[region] + BigInt(network * this.#length(region) * 4), bytes);
      else if (name === 'counters') asBytes(this.#wordsOf(network)).set(bytes);
    }
  }

  #wordsOf(network: number): Uint32Array {
    return this.#members.subarray(network * this.#sizes.memberWords, (network + 1) * this.#sizes.memberWords);
  }

  train(
    networks: readonly number[],
    orders: readonly Uint32Array[],
    from: number,
    to: number,
    sums: readonly LossSums[],
  ): StepReport[] {
    this.#follow(networks, orders, from);
    this.#activate(networks);
    this.#clearSums();
    this.#steps(to - from);
    this.#members.set(new Uint32Array(this.#cuda.download(this.#at.members, this.#members.byteLength).buffer));
    this.#addSums(networks, sums);
    return networks.map((network) => {
      const words = this.#wordsOf(network);
      const norm = new Float32Array(words.buffer, words.byteOffset, words.length)[member.norm] as number;
      return { norm, diverged: words[member.diverged] === 1 };
    });
  }

  /** Uploads the orders of rows, each once, and says which network follows which, from which batch on. */
  #follow(networks: readonly number[], orders: readonly Uint32Array[], from: number): void {
    const distinct = [...new Set(orders)];
    if (distinct.length !== this.#orders.length || distinct.some((order, i) => order !== this.#orders[i])) {
      const length = this.#request.trainRows;
      const table = new Uint32Array(distinct.length * length);
      for (const [i, order] of distinct.entries()) table.set(order, i * length);
      this.#upload('orders', table);
      this.#orders = distinct;
    }
    for (const [i, network] of networks.entries()) {
      const words = this.#wordsOf(network);
      words[member.order] = distinct.indexOf(orders[i] as Uint32Array);
      words[member.epochStart] = (words[member.step] as number) - from;
    }
    this.#upload('members', this.#members);
  }

  measure(networks: readonly number[], rows: Uint32Array, sums: readonly LossSums[]): void {
    this.#activate(networks);
    this.#clearSums();
    this.#frozen(rows, (stack) => this.#launch('frozenLosses', 1, 1, stack));
    this.#addSums(networks, sums);
  }

  predict(network: number, rows: Uint32Array): Float32Array {
    const { outputs } = this.#sizes;
    const values = new Float32Array(rows.length * outputs);
    const at = this.#at.outputs + BigInt(network * this.#sizes.rows * outputs * 4);
    this.#activate([network]);
    this.#frozen(rows, (_, first, count) => {
      values.set(new Float32Array(this.#cuda.download(at, count * outputs * 4).buffer), first * outputs);
    });
    applyOutputs(this.shape, values, outputs);
    return values;
  }

  /** Forward passes of `rows`, as many at a time as a batch has; `then` sees each part. */
  #frozen(rows: Uint32Array, then: (stack: Uint8Array, first: number, count: number) => void): void {
    const { tileRows } = this.#sizes;
    for (let first = 0; first < rows.length; first += this.#sizes.rows) {
      const part = rows.slice(first, first + this.#sizes.rows);
      this.#upload('measured', part);
      const stack = this.#argument(part.length);
      for (const [l, layer] of this.layout.layers.entries())
        this.#launch(`frozen${l}`, Math.ceil(layer.paddedUnits / 64), Math.ceil(part.length / tileRows), stack);
      this.#launch('frozenOutputs', 1, 1, stack);
      then(stack, first, part.length);
    }
  }

  #launch(name: string, x: number, y: number, stack: Uint8Array, extra: readonly Uint8Array[] = []): void {
    this.#cuda.launch(this.#kernel(name), [x, y, this.#active.length], THREADS, [stack, ...extra]);
  }

  /** Only these networks take part from now on; the others keep their bytes. */
  #activate(networks: readonly number[]): void {
    if (networks.length === this.#active.length && networks.every((network, i) => network === this.#active[i])) return;
    this.#upload('active', Int32Array.from(networks));
    this.#freeGraphs();
    this.#active = [...networks];
  }

  /** The kernels of one step, in their order. */
  #plan(): Launch[] {
    const { layers } = this.layout;
    const { gram, weightTiles } = this.#sizes;
    const launch = (name: string, blocks: number): Launch => ({ kernel: this.#kernel(name), blocks });
    const across = (l: number): number => Math.ceil((layers[l]?.paddedUnits ?? 0) / 64);
    const last = layers.length - 1;
    const backward = layers.map((_, i) => last - i);
    const parts = gram ? layers.length + 2 : weightTiles + 1;
    return [
      ...layers.map((_, l) => launch(`forward${l}`, across(l))),
      launch('heads', 1),
      ...backward.map((l) => launch(l === last ? 'backwardHeads' : `backward${l}`, across(l))),
      ...(gram
        ? [launch('gram', layers.length + 2), launch('weightsAdam', weightTiles + 1)]
        : [launch('weights', weightTiles + 1), launch('adam', Math.ceil(this.layout.parameters / ADAM_PARAMETERS))]),
      {
        kernel: this.#kernel('count'),
        blocks: Math.ceil(this.#active.length / THREADS),
        extra: [word(this.#active.length), word(parts)],
      },
    ];
  }

  #steps(count: number): void {
    this.#graphs ??= this.#capture();
    for (let done = 0; done < count; ) {
      const many = count - done >= STEPS_OF_GRAPH;
      (many ? this.#graphs.many : this.#graphs.one).launch();
      done += many ? STEPS_OF_GRAPH : 1;
    }
    this.#cuda.synchronise();
  }

  #capture(): Graphs {
    const plan = this.#plan();
    const stack = this.#argument(0);
    const step = (): void => {
      // Counting needs one thread a network, all other kernels a block.
      for (const { kernel, blocks, extra } of plan)
        this.#cuda.launch(kernel, [blocks, 1, extra === undefined ? this.#active.length : 1], THREADS, [
          stack,
          ...(extra ?? []),
        ]);
    };
    return {
      one: this.#cuda.capture(step),
      many: this.#cuda.capture(() => {
        for (let i = 0; i < STEPS_OF_GRAPH; i++) step();
      }),
    };
  }

  /** The bytes of `Stack`. */
  #argument(measuredRows: number): Uint8Array {
    const words = [
      ...pointerOrder.map((name) => this.#at[name]),
      BigInt(this.#request.trainRows),
      BigInt(this.#request.batchSize),
      BigInt(measuredRows),
    ];
    return asBytes(BigUint64Array.from(words));
  }

  #clearSums(): void {
    this.#upload('sums', new Float64Array(this.size * 2 * this.#sizes.outputs));
  }

  #addSums(networks: readonly number[], sums: readonly LossSums[]): void {
    const { outputs } = this.#sizes;
    const all = new Float64Array(this.#cuda.download(this.#at.sums, this.size * 2 * outputs * 8).buffer);
    for (const [i, network] of networks.entries()) {
      const first = network * 2 * outputs;
      const { losses, counts } = sums[i] as LossSums;
      for (let c = 0; c < losses.length; c++) {
        losses[c] = (losses[c] as number) + (all[first + c] as number);
        counts[c] = (counts[c] as number) + (all[first + outputs + c] as number);
      }
    }
  }

  #upload(name: Name, values: ArrayBufferView): void {
    if (values.byteLength > 0) this.#cuda.upload(this.#at[name], asBytes(values));
  }

  #freeGraphs(): void {
    this.#graphs?.many.free();
    this.#graphs?.one.free();
    this.#graphs = undefined;
  }

  free(): void {
    this.#freeGraphs();
    for (const pointer of Object.values(this.#at)) this.#cuda.free(pointer);
  }
}

function asBytes(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function word(value: number): Uint8Array {
  return asBytes(Int32Array.of(value));
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function padRows(values: Float32Array, rows: number, width: number, stride: number): Float32Array {
  const result = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) result.set(values.subarray(row * width, (row + 1) * width), row * stride);
  return result;
}

/** Turns pre-activations into outputs, in place. */
function applyOutputs(shape: NetworkShape, values: Float32Array, stride: number): void {
  const firsts = firstOutputs(shape);
  const rows = values.length / stride;
  for (const [h, { kind, outputs }] of shape.heads.entries())
    for (let row = 0; row < rows; row++) {
      const first = row * stride + (firsts[h] as number);
      const own = values.subarray(first, first + outputs);
      if (kind === 'multiclass') softmax(own);
      else for (let c = 0; c < outputs; c++) own[c] = outputFunction(kind, own[c] as number);
    }
}

function softmax(values: Float32Array): void {
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  for (let c = 0; c < values.length; c++) values[c] = exp((values[c] as number) - largest);
  const sum = values.reduce((a, b) => a + b, 0);
  for (let c = 0; c < values.length; c++) values[c] = (values[c] as number) / sum;
}
