/** A multi-task network in the memory of a workspace: forward, backward and update of one batch. */
import type { Pointer } from '../../kernels/kernels.ts';
import type { Rng } from '../../random/rng.ts';
import type { Layout } from './layout.ts';
import type { NetworkShape } from './shape.ts';
import { initialWeights } from './stack.ts';
import type { LayerBuffers, Workspace } from './workspace.ts';

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

/** Regions whose bytes are the whole state of training. */
export const stateRegions = ['parameters', 'first', 'second', 'running', 'dropoutState', 'adamPowers'] as const;
export type StateRegion = (typeof stateRegions)[number];

export class Network {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  readonly maxRows: number;
  readonly #workspace: Workspace;
  readonly #pointers: Readonly<Record<StateRegion, Pointer>>;

  /** @param workspace may be that of other networks: they take their batches one after the other */
  constructor(workspace: Workspace) {
    const { shape, layout, maxRows, kernels } = workspace;
    this.shape = shape;
    this.layout = layout;
    this.maxRows = maxRows;
    this.#workspace = workspace;
    const floats = (count: number): Pointer => kernels.allocate(count * 4);
    this.#pointers = {
      parameters: floats(layout.parameters),
      first: floats(layout.parameters),
      second: floats(layout.parameters),
      running: floats(layout.running),
      dropoutState: floats(4),
      adamPowers: kernels.allocate(16),
    };
    for (const layer of layout.layers)
      this.region('running').fill(1, layer.runningVariance, layer.runningVariance + layer.paddedUnits);
    new Float64Array(kernels.memory.buffer, this.#pointers.adamPowers, 2).fill(1);
  }

  /** Values of a region, padding included: a view that is valid until memory grows, by data or another network. */
  region(name: StateRegion | 'gradient'): Float32Array {
    const { kernels, gradient } = this.#workspace;
    const { parameters, running } = this.layout;
    const length = name === 'running' ? running : name === 'dropoutState' || name === 'adamPowers' ? 4 : parameters;
    return new Float32Array(kernels.memory.buffer, name === 'gradient' ? gradient : this.#pointers[name], length);
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
    const state = new Uint32Array(this.#workspace.kernels.memory.buffer, this.#pointers.dropoutState, 4);
    for (let i = 0; i < 4; i++) state[i] = 1 + rng.below(4294967295);
  }

  /** Gives the workspace its data; see there. */
  loadData(rows: number, features: Float32Array, targets: Float32Array): void {
    this.#workspace.loadData(rows, features, targets);
  }

  /**
   * Loss and gradient of one batch of at least two rows. Sums and counts per output column are then in `losses` and
   * `counts`, the gradient in region `gradient`.
   */
  gradients(rows: Uint32Array, settings: BatchSettings): void {
    const workspace = this.#workspace;
    const n = rows.length;
    workspace.gather(rows);
    let input = workspace.x;
    for (const [i, layer] of workspace.layers.entries()) {
      workspace.times(n, layer.paddedUnits, layer.paddedInputs, input, this.#parameter(layer.weight), layer.z);
      workspace.kernels.batchNormStatistics(
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
    workspace.heads.gradients(n, settings.weights, this.#parameter(bias), this.#gradient(bias));
    this.#backward(n, input, settings.dropout);
  }

  #backward(n: number, lastActivations: Pointer, dropout: readonly number[]): void {
    const workspace = this.#workspace;
    const { layers, kernels } = workspace;
    const { paddedInputs, paddedOutputs, weight } = this.layout.heads;
    const { outputs } = workspace.heads;
    const last = layers[layers.length - 1] as LayerBuffers;
    workspace.transposedTimes(paddedInputs, paddedOutputs, n, lastActivations, outputs, this.#gradient(weight));
    workspace.timesTransposed(n, paddedInputs, paddedOutputs, outputs, this.#parameter(weight), last.d);
    for (let i = layers.length - 1; i >= 0; i--) {
      const layer = layers[i] as LayerBuffers;
      const below = layers[i - 1];
      kernels.batchNormBackward(
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
      const input = below?.a ?? workspace.x;
      workspace.transposedTimes(layer.paddedInputs, layer.paddedUnits, n, input, layer.d, this.#gradient(layer.weight));
      if (below !== undefined)
        workspace.timesTransposed(
          n,
          layer.paddedInputs,
          layer.paddedUnits,
          layer.d,
          this.#parameter(layer.weight),
          below.d,
        );
    }
  }

  /** Norm of the gradient before clipping; NaN or Infinity if training has diverged. */
  gradientNorm(): number {
    const { kernels, gradient } = this.#workspace;
    return Math.sqrt(kernels.sumOfSquares(gradient, this.layout.parameters));
  }

  /** One step of Adam with the gradient that `gradients` left; returns the norm before clipping. */
  update({ learningRate, weightDecay, decoupled, clipNorm }: Update): number {
    const { kernels, gradient } = this.#workspace;
    const norm = this.gradientNorm();
    const clip = Math.min(1, clipNorm / (norm + 1e-6));
    // Powers of the decay rates are carried as products: the same bits everywhere, unlike Math.pow.
    const powers = new Float64Array(kernels.memory.buffer, this.#pointers.adamPowers, 2);
    const first = (powers[0] as number) * 0.9;
    const second = (powers[1] as number) * 0.999;
    powers[0] = first;
    powers[1] = second;
    const root = Math.sqrt(1 - second);
    kernels.adam(
      this.#pointers.parameters,
      gradient,
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
    this.#workspace.heads.gradients(rows.length, [], this.#parameter(bias), this.#gradient(bias));
  }

  /** Outputs of up to `maxRows` rows, row-major with `layout.heads.paddedOutputs` columns: a view, copy what you keep. */
  predict(rows: Uint32Array): Float32Array {
    this.#forwardFrozen(rows);
    return this.#workspace.heads.values(rows.length, this.#parameter(this.layout.heads.bias));
  }

  /** Per output column: sum of the losses of the last batch, without weights. */
  get losses(): Float32Array {
    return this.#workspace.heads.losses;
  }

  /** Per output column: targets present in the last batch. */
  get counts(): Float32Array {
    return this.#workspace.heads.counts;
  }

  #forwardFrozen(rows: Uint32Array): void {
    const workspace = this.#workspace;
    workspace.gather(rows);
    let input = workspace.x;
    for (const layer of workspace.layers) {
      const { paddedUnits, paddedInputs, z, scale, shift } = layer;
      workspace.times(rows.length, paddedUnits, paddedInputs, input, this.#parameter(layer.weight), z);
      workspace.kernels.batchNormFrozen(
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

  #activate({ z, a, paddedUnits, scale, shift }: LayerBuffers, n: number, threshold: number): void {
    const { kernels } = this.#workspace;
    const { dropoutState } = this.#pointers;
    if (threshold === 0) kernels.activate(z, a, n, paddedUnits, scale, shift);
    else kernels.activateWithDropout(z, a, n, paddedUnits, scale, shift, dropoutState, threshold, keepOf(threshold));
  }

  #headProduct(n: number, input: Pointer): void {
    const { paddedInputs, paddedOutputs, weight } = this.layout.heads;
    const { outputs } = this.#workspace.heads;
    this.#workspace.times(n, paddedOutputs, paddedInputs, input, this.#parameter(weight), outputs);
  }

  #parameter(offset: number): Pointer {
    return this.#pointers.parameters + offset * 4;
  }

  #gradient(offset: number): Pointer {
    return this.#workspace.gradient + offset * 4;
  }

  #running(offset: number): Pointer {
    return this.#pointers.running + offset * 4;
  }
}

/** Memory that a network adds to its workspace, at most. */
export function networkBytes({ parameters, running }: Layout): number {
  return 4 * (3 * parameters + running) + 1024;
}

/** Dropout decides by 16 random bits: the rate in steps of 1 / 65536. */
export function thresholdOf(rate: number): number {
  return Math.min(65535, Math.round(rate * 65536));
}

/** Factor of the units that stay. */
export function keepOf(threshold: number): number {
  return 65536 / (65536 - threshold);
}
