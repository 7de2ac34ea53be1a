/** The heads' part of a pass: from the outputs' pre-activations to values, or to losses and gradients. */
import type { Kernels, Pointer } from '../../kernels/kernels.ts';
import { writeHeadTable } from './head-table.ts';
import { firstOutputs, type NetworkShape, outputsOf } from './shape.ts';

export class HeadPass {
  /** Pre-activations without bias, then values or gradients, in place: rows x padded columns. */
  readonly outputs: Pointer;
  /** Targets of the batch, same shape; NaN where missing. */
  readonly targets: Pointer;
  readonly #kernels: Kernels;
  readonly #shape: NetworkShape;
  readonly #first: readonly number[];
  readonly #columns: number;
  readonly #weights: Pointer;
  readonly #counts: Pointer;
  readonly #losses: Pointer;
  readonly #table: Pointer;

  constructor(kernels: Kernels, shape: NetworkShape, columns: number, maxRows: number) {
    const floats = (count: number): Pointer => kernels.allocate(count * 4);
    this.#kernels = kernels;
    this.#shape = shape;
    this.#first = firstOutputs(shape);
    this.#columns = columns;
    this.outputs = floats(maxRows * columns);
    this.targets = floats(maxRows * columns);
    this.#weights = floats(columns);
    this.#counts = floats(columns);
    this.#losses = floats(columns);
    this.#table = floats(6 * columns);
    writeHeadTable(shape, columns, new DataView(kernels.memory.buffer, this.#table));
  }

  /** Per output column: sum of the losses of the last batch, without weights. */
  get losses(): Float32Array {
    return this.#at(this.#losses, outputsOf(this.#shape));
  }

  /** Per output column: targets present in the last batch. */
  get counts(): Float32Array {
    return this.#at(this.#counts, outputsOf(this.#shape));
  }

  /** Losses of `rows` rows, and gradients in place of the pre-activations. */
  gradients(rows: number, weights: readonly number[], bias: Pointer, biasGradient: Pointer): void {
    const kernels = this.#kernels;
    kernels.countPresent(this.targets, rows, this.#columns, this.#counts);
    this.#spread(weights);
    kernels.headGradients(
      this.outputs,
      this.targets,
      rows,
      this.#columns,
      bias,
      biasGradient,
      this.#weights,
      this.#table,
      this.#losses,
    );
    for (const [h, head] of this.#shape.heads.entries()) {
      if (head.kind !== 'multiclass') continue;
      kernels.softmaxGradients(
        this.outputs,
        this.targets,
        rows,
        this.#columns,
        this.#first[h] as number,
        head.outputs,
        bias,
        biasGradient,
        this.#weights,
        this.#losses,
      );
    }
  }

  /** Values of `rows` rows in place of the pre-activations; returns a view of them. */
  values(rows: number, bias: Pointer): Float32Array {
    this.#kernels.headOutputs(this.outputs, rows, this.#columns, bias, this.#table);
    for (const [h, head] of this.#shape.heads.entries())
      if (head.kind === 'multiclass')
        this.#kernels.softmaxOutputs(this.outputs, rows, this.#columns, this.#first[h] as number, head.outputs);
    return this.#at(this.outputs, rows * this.#columns);
  }

  /** Writes each column's weight: the head's, over the number of targets its mean runs over. */
  #spread(weights: readonly number[]): void {
    const counts = this.#at(this.#counts, this.#columns);
    const target = this.#at(this.#weights, this.#columns);
    for (const [h, head] of this.#shape.heads.entries()) {
      const first = this.#first[h] as number;
      let present = 0;
      for (let c = 0; c < head.outputs; c++) present += counts[first + c] as number;
      if (head.kind === 'multiclass') present /= head.outputs;
      target.fill(present === 0 ? 0 : (weights[h] ?? 1) / present, first, first + head.outputs);
    }
  }

  #at(pointer: Pointer, length: number): Float32Array {
    return new Float32Array(this.#kernels.memory.buffer, pointer, length);
  }
}
