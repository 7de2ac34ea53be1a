/** A multi-task network in the memory of a kernel instance: forward, backward and update of one batch. */
import {
  type Kernels,
  type Multiply,
  makeKernels,
  ownProducts,
  type Pointer,
  type Products,
} from '../../kernels/kernels.ts';
import type { Rng } from '../../random/rng.ts';
import { HeadPass } from './head-pass.ts';
import { type LayerLayout, type Layout, layoutOf } from './layout.ts';
import { type NetworkShape, outputsOf } from './shape.ts';
import { initialWeights } from './stack.ts';

/** What Adam needs for one step. */
export interface Update {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** AdamW: decay the weights themselves. False: add the decay to the gradient, as torch's Adam does. */
  readonly decoupled: boolean;
  /** Largest norm of the whole gradient. */
  readonly clipNorm: number;
}

/** How a batch is trained. */
export interface BatchSettings {
  /** Rate of dropout after each hidden layer, in [0, 1). */
  readonly dropout: readonly number[];
  /** Weight of each head in the loss. */
  readonly weights: readonly number[];
}

/** Buffers of one hidden layer. */
interface LayerBuffers extends LayerLayout {
  readonly z: Pointer;
  readonly a: Pointer;
  readonly d: Pointer;
  readonly mean: Pointer;
  readonly inverse: Pointer;
  readonly scale: Pointer;
  readonly shift: Pointer;
}

/** Regions whose bytes are the whole state of training. */
export const stateRegions = ['parameters', 'first', 'second', 'running', 'dropoutState', 'adamPowers'] as const;
export type StateRegion = (typeof stateRegions)[number];

export class Network {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  readonly maxRows: number;
  readonly #kernels: Kernels;
  readonly #multiply: Multiply;
  readonly #layers: readonly LayerBuffers[];
  readonly #pointers: Readonly<Record<StateRegion | 'gradient', Pointer>>;
  readonly #heads: HeadPass;
  readonly #indices: Pointer;
  readonly #x: Pointer;
  #features: Pointer = 0;
  #targets: Pointer = 0;

  /**
   * @param maxRows largest batch
   * @param products does the matrix products
   */
  constructor(shape: NetworkShape, maxRows: number, products: Products = ownProducts) {
    const kernels = makeKernels();
    this.shape = shape;
    this.maxRows = maxRows;
    const layout = layoutOf(shape);
    this.layout = layout;
    this.#kernels = kernels;
    this.#multiply = products(kernels);
    const floats = (count: number): Pointer => kernels.allocate(count * 4);
    this.#pointers = {
      parameters: floats(layout.parameters),
      gradient: floats(layout.parameters),
      first: floats(layout.parameters),
      second: floats(layout.parameters),
      running: floats(layout.running),
      dropoutState: floats(4),
      adamPowers: kernels.allocate(16),
    };
    this.#layers = layout.layers.map((layer) => ({
      ...layer,
      z: floats(maxRows * layer.paddedUnits),
      a: floats(maxRows * layer.paddedUnits),
      d: floats(maxRows * layer.paddedUnits),
      mean: floats(layer.paddedUnits),
      inverse: floats(layer.paddedUnits),
      scale: floats(layer.paddedUnits),
      shift: floats(layer.paddedUnits),
    }));
    this.#indices = floats(maxRows);
    this.#x = floats(maxRows * layout.paddedInputs);
    this.#heads = new HeadPass(kernels, shape, layout.heads.paddedOutputs, maxRows);
    const widths = layout.layers.map((layer) => layer.paddedUnits);
    kernels.reserveGemm(Math.max(layout.paddedInputs, layout.heads.paddedOutputs, ...widths));
    for (const layer of layout.layers)
      this.region('running').fill(1, layer.runningVariance, layer.runningVariance + layer.paddedUnits);
    new Float64Array(kernels.memory.buffer, this.#pointers.adamPowers, 2).fill(1);
  }

  /** Values of a region, padding included: a view that is valid until the next `loadData`. */
  region(name: StateRegion | 'gradient'): Float32Array {
    const { parameters, running } = this.layout;
    const length = name === 'running' ? running : name === 'dropoutState' || name === 'adamPowers' ? 4 : parameters;
    return new Float32Array(this.#kernels.memory.buffer, this.#pointers[name], length);
  }

  /** The same region as bytes, for states that are not floats. */
  regionBytes(name: StateRegion): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.region(name);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  /** Starts afresh with random weights. */
  initialise(rng: Rng): void {
    const { parameters, running } = initialWeights(this.shape, this.layout, rng);
    this.region('parameters').set(parameters);
    this.region('running').set(running);
  }

  /** Seeds the stream of dropout: four xorshift generators, none of them at zero. */
  seedDropout(rng: Rng): void {
    const state = new Uint32Array(this.#kernels.memory.buffer, this.#pointers.dropoutState, 4);
    for (let i = 0; i < 4; i++) state[i] = 1 + rng.below(4294967295);
  }

  /** Copies the data in: `features` is rows x inputs, `targets` rows x outputs with NaN where missing. Call once. */
  loadData(rows: number, features: Float32Array, targets: Float32Array): void {
    this.#features = this.#copyPadded(rows, features, this.shape.inputs, this.layout.paddedInputs);
    this.#targets = this.#copyPadded(rows, targets, outputsOf(this.shape), this.layout.heads.paddedOutputs);
  }

  #copyPadded(rows: number, values: Float32Array, width: number, stride: number): Pointer {
    const pointer = this.#kernels.allocate(rows * stride * 4);
    const target = new Float32Array(this.#kernels.memory.buffer, pointer, rows * stride);
    for (let row = 0; row < rows; row++) target.set(values.subarray(row * width, (row + 1) * width), row * stride);
    return pointer;
  }

  /**
   * Loss and gradient of one batch of at least two rows. Sums and counts per output column are then in `losses` and
   * `counts`, the gradient in region `gradient`.
   */
  gradients(rows: Uint32Array, settings: BatchSettings): void {
    const kernels = this.#kernels;
    const n = rows.length;
    this.#gather(rows);
    let input = this.#x;
    for (const [i, layer] of this.#layers.entries()) {
      this.#product(0, 0, n, layer.paddedUnits, layer.paddedInputs, input, this.#parameter(layer.weight), layer.z);
      kernels.batchNormStatistics(
        layer.z,
        n,
        layer.paddedUnits,
        this.#parameter(layer.gamma),
        this.#parameter(layer.beta),
        layer.mean,
        layer.inverse,
        layer.scale,
        layer.shift,
        this.#running(layer.runningMean),
        this.#running(layer.runningVariance),
      );
      this.#activate(layer, n, thresholdOf(settings.dropout[i] ?? 0));
      input = layer.a;
    }
    this.#headProduct(n, input);
    const { bias } = this.layout.heads;
    this.#heads.gradients(n, settings.weights, this.#parameter(bias), this.#gradient(bias));
    this.#backward(n, input, settings.dropout);
  }

  #backward(n: number, lastActivations: Pointer, dropout: readonly number[]): void {
    const { heads } = this.layout;
    const { outputs } = this.#heads;
    const last = this.#layers[this.#layers.length - 1] as LayerBuffers;
    const { paddedInputs, paddedOutputs } = heads;
    this.#product(1, 0, paddedInputs, paddedOutputs, n, lastActivations, outputs, this.#gradient(heads.weight));
    this.#product(0, 1, n, paddedInputs, paddedOutputs, outputs, this.#parameter(heads.weight), last.d);
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = this.#layers[i] as LayerBuffers;
      const below = this.#layers[i - 1];
      this.#kernels.batchNormBackward(
        layer.d,
        layer.z,
        layer.a,
        n,
        layer.paddedUnits,
        layer.mean,
        layer.inverse,
        layer.scale,
        this.#gradient(layer.gamma),
        this.#gradient(layer.beta),
        keepOf(thresholdOf(dropout[i] ?? 0)),
      );
      const input = below?.a ?? this.#x;
      this.#product(1, 0, layer.paddedInputs, layer.paddedUnits, n, input, layer.d, this.#gradient(layer.weight));
      if (below !== undefined)
        this.#product(0, 1, n, layer.paddedInputs, layer.paddedUnits, layer.d, this.#parameter(layer.weight), below.d);
    }
  }

  /** Norm of the gradient before clipping; NaN or Infinity if training has diverged. */
  gradientNorm(): number {
    return Math.sqrt(this.#kernels.sumOfSquares(this.#pointers.gradient, this.layout.parameters));
  }

  /** One step of Adam with the gradient that `gradients` left; returns the norm before clipping. */
  update({ learningRate, weightDecay, decoupled, clipNorm }: Update): number {
    const norm = this.gradientNorm();
    const clip = Math.min(1, clipNorm / (norm + 1e-6));
    // Powers of the decay rates are carried as products: the same bits everywhere, unlike Math.pow.
    const powers = new Float64Array(this.#kernels.memory.buffer, this.#pointers.adamPowers, 2);
    const first = (powers[0] as number) * 0.9;
    const second = (powers[1] as number) * 0.999;
    powers[0] = first;
    powers[1] = second;
    const root = Math.sqrt(1 - second);
    this.#kernels.adam(
      this.#pointers.parameters,
      this.#pointers.gradient,
      this.#pointers.first,
      this.#pointers.second,
      this.layout.parameters,
      clip,
      decoupled ? 0 : weightDecay,
      decoupled ? 1 - learningRate * weightDecay : 1,
      (learningRate * root) / (1 - first),
      1e-8 * root,
    );
    return norm;
  }

  /** Losses of up to `maxRows` rows with the running statistics and without dropout; sums in `losses`, `counts`. */
  measure(rows: Uint32Array): void {
    this.#forwardFrozen(rows);
    const { bias } = this.layout.heads;
    this.#heads.gradients(rows.length, [], this.#parameter(bias), this.#gradient(bias));
  }

  /** Outputs of up to `maxRows` rows, row-major with `layout.heads.paddedOutputs` columns: a view, copy what you keep. */
  predict(rows: Uint32Array): Float32Array {
    this.#forwardFrozen(rows);
    return this.#heads.values(rows.length, this.#parameter(this.layout.heads.bias));
  }

  /** Per output column: sum of the losses of the last batch, without weights. */
  get losses(): Float32Array {
    return this.#heads.losses;
  }

  /** Per output column: targets present in the last batch. */
  get counts(): Float32Array {
    return this.#heads.counts;
  }

  #forwardFrozen(rows: Uint32Array): void {
    this.#gather(rows);
    let input = this.#x;
    for (const layer of this.#layers) {
      const { paddedUnits, paddedInputs, z, scale, shift } = layer;
      this.#product(0, 0, rows.length, paddedUnits, paddedInputs, input, this.#parameter(layer.weight), z);
      this.#kernels.batchNormFrozen(
        paddedUnits,
        this.#parameter(layer.gamma),
        this.#parameter(layer.beta),
        this.#running(layer.runningMean),
        this.#running(layer.runningVariance),
        scale,
        shift,
      );
      this.#activate(layer, rows.length, 0);
      input = layer.a;
    }
    this.#headProduct(rows.length, input);
  }

  #gather(rows: Uint32Array): void {
    const { memory, gather } = this.#kernels;
    const { paddedInputs, heads } = this.layout;
    new Uint32Array(memory.buffer, this.#indices, rows.length).set(rows);
    gather(this.#x, this.#features, this.#indices, rows.length, paddedInputs * 4);
    gather(this.#heads.targets, this.#targets, this.#indices, rows.length, heads.paddedOutputs * 4);
  }

  #activate({ z, a, paddedUnits, scale, shift }: LayerBuffers, n: number, threshold: number): void {
    if (threshold === 0) this.#kernels.activate(z, a, n, paddedUnits, scale, shift);
    else {
      const state = this.#pointers.dropoutState;
      this.#kernels.activateWithDropout(z, a, n, paddedUnits, scale, shift, state, threshold, keepOf(threshold));
    }
  }

  #headProduct(n: number, input: Pointer): void {
    const { paddedInputs, paddedOutputs, weight } = this.layout.heads;
    this.#product(0, 0, n, paddedOutputs, paddedInputs, input, this.#parameter(weight), this.#heads.outputs);
  }

  /** A product of matrices whose stored rows lie without gaps. */
  #product(ta: number, tb: number, m: number, n: number, k: number, a: Pointer, b: Pointer, c: Pointer): void {
    this.#multiply(ta, tb, m, n, k, a, ta === 1 ? m : k, b, tb === 1 ? k : n, c, n);
  }

  #parameter(offset: number): Pointer {
    return this.#pointers.parameters + offset * 4;
  }

  #gradient(offset: number): Pointer {
    return this.#pointers.gradient + offset * 4;
  }

  #running(offset: number): Pointer {
    return this.#pointers.running + offset * 4;
  }
}

/** Dropout decides by 16 random bits: the rate in steps of 1 / 65536. */
export function thresholdOf(rate: number): number {
  return Math.min(65535, Math.round(rate * 65536));
}

/** Factor of the units that stay. */
export function keepOf(threshold: number): number {
  return 65536 / (65536 - threshold);
}
