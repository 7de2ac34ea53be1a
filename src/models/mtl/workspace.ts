/**
 * What networks of one shape share in a process: one memory of kernels with the data and everything that only lives
 * for one batch. A network adds its parameters, moments and running statistics (`network.ts`).
 */
import {
  type Kernels,
  type Multiply,
  makeKernels,
  ownProducts,
  type Pointer,
  type Products,
} from '../../kernels/kernels.ts';
import { HeadPass } from './head-pass.ts';
import { type LayerLayout, type Layout, layoutOf } from './layout.ts';
import { type NetworkShape, outputsOf } from './shape.ts';

/** Buffers of one hidden layer for one batch. */
export interface LayerBuffers extends LayerLayout {
  /** Pre-activations, activations, and the gradient by either: rows x padded units. */
  readonly z: Pointer;
  readonly a: Pointer;
  readonly d: Pointer;
  /** Statistics of the batch and the affine map of its normalisation, by unit. */
  readonly mean: Pointer;
  readonly inverse: Pointer;
  readonly scale: Pointer;
  readonly shift: Pointer;
}

/** Memory of a workspace with `rows` rows of data, at most. */
export function workspaceBytes(layout: Layout, maxRows: number, rows: number): number {
  const { layers, paddedInputs, heads, parameters } = layout;
  const units = layers.reduce((sum, layer) => sum + layer.paddedUnits, 0);
  const widest = Math.max(paddedInputs, heads.paddedOutputs, ...layers.map((layer) => layer.paddedUnits));
  const ofBatch = maxRows * (3 * units + paddedInputs + 2 * heads.paddedOutputs + 1);
  const ofData = rows * (paddedInputs + heads.paddedOutputs);
  return 4 * (ofBatch + ofData + parameters + 256 * widest + 4 * units) + 2 ** 20;
}

export class Workspace {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  /** Most rows of a batch. */
  readonly maxRows: number;
  readonly kernels: Kernels;
  readonly layers: readonly LayerBuffers[];
  readonly heads: HeadPass;
  /** The batch's features: rows x padded inputs. */
  readonly x: Pointer;
  /** Gradient of the network that had the last batch, laid out as its parameters. */
  readonly gradient: Pointer;
  readonly #multiply: Multiply;
  readonly #indices: Pointer;
  #features: Pointer = 0;
  #targets: Pointer = 0;

  /**
   * @param maxRows largest batch
   * @param products does the matrix products
   */
  constructor(shape: NetworkShape, maxRows: number, products: Products = ownProducts) {
    const kernels = makeKernels();
    const layout = layoutOf(shape);
    const floats = (count: number): Pointer => kernels.allocate(count * 4);
    this.shape = shape;
    this.layout = layout;
    this.maxRows = maxRows;
    this.kernels = kernels;
    this.#multiply = products(kernels);
    this.layers = layout.layers.map((layer) => ({
      ...layer,
      z: floats(maxRows * layer.paddedUnits),
      a: floats(maxRows * layer.paddedUnits),
      d: floats(maxRows * layer.paddedUnits),
      mean: floats(layer.paddedUnits),
      inverse: floats(layer.paddedUnits),
      scale: floats(layer.paddedUnits),
      shift: floats(layer.paddedUnits),
    }));
    this.heads = new HeadPass(kernels, shape, layout.heads.paddedOutputs, maxRows);
    this.x = floats(maxRows * layout.paddedInputs);
    this.gradient = floats(layout.parameters);
    this.#indices = floats(maxRows);
    const widths = layout.layers.map((layer) => layer.paddedUnits);
    kernels.reserveGemm(Math.max(layout.paddedInputs, layout.heads.paddedOutputs, ...widths));
  }

  /** Copies the data in: `features` is rows x inputs, `targets` rows x outputs with NaN where missing. Call once. */
  loadData(rows: number, features: Float32Array, targets: Float32Array): void {
    this.#features = this.#copyPadded(rows, features, this.shape.inputs, this.layout.paddedInputs);
    this.#targets = this.#copyPadded(rows, targets, outputsOf(this.shape), this.layout.heads.paddedOutputs);
  }

  #copyPadded(rows: number, values: Float32Array, width: number, stride: number): Pointer {
    const pointer = this.kernels.allocate(rows * stride * 4);
    const target = new Float32Array(this.kernels.memory.buffer, pointer, rows * stride);
    for (let row = 0; row < rows; row++) target.set(values.subarray(row * width, (row + 1) * width), row * stride);
    return pointer;
  }

  /** Makes `rows` of the data the batch. */
  gather(rows: Uint32Array): void {
    const { memory, gather } = this.kernels;
    const { paddedInputs, heads } = this.layout;
    new Uint32Array(memory.buffer, this.#indices, rows.length).set(rows);
    gather(this.x, this.#features, this.#indices, rows.length, paddedInputs * 4);
    gather(this.heads.targets, this.#targets, this.#indices, rows.length, heads.paddedOutputs * 4);
  }

  /** C (m x n) = A (m x k) B (k x n). Stored rows lie without gaps, here and below. */
  times(m: number, n: number, k: number, a: Pointer, b: Pointer, c: Pointer): void {
    this.#multiply(0, 0, m, n, k, a, k, b, n, c, n);
  }

  /** C (m x n) = A' (m x k) B (k x n), where A is stored k x m. */
  transposedTimes(m: number, n: number, k: number, a: Pointer, b: Pointer, c: Pointer): void {
    this.#multiply(1, 0, m, n, k, a, m, b, n, c, n);
  }

  /** C (m x n) = A (m x k) B' (k x n), where B is stored n x k. */
  timesTransposed(m: number, n: number, k: number, a: Pointer, b: Pointer, c: Pointer): void {
    this.#multiply(0, 1, m, n, k, a, k, b, k, c, n);
  }
}
