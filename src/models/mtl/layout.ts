/**
 * Where the parameters of a network lie in memory. Widths are padded to multiples of 8, so that kernels need no
 * remainders; padding starts as zero and stays zero, since its gradients are zero.
 */
import { type NetworkShape, outputsOf } from './shape.ts';

/** A matrix or vector inside a region; offsets and strides in elements. Vectors have one row. */
export interface Tensor {
  readonly name: string;
  readonly region: 'parameters' | 'running';
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
  readonly stride: number;
}

export interface LayerLayout {
  readonly paddedInputs: number;
  readonly paddedUnits: number;
  readonly weight: number;
  readonly gamma: number;
  readonly beta: number;
  readonly runningMean: number;
  readonly runningVariance: number;
}

export interface Layout {
  readonly layers: readonly LayerLayout[];
  readonly paddedInputs: number;
  readonly heads: {
    readonly paddedInputs: number;
    readonly paddedOutputs: number;
    readonly weight: number;
    readonly bias: number;
  };
  /** Elements of a region that holds one value per parameter, padding included; a multiple of 16. */
  readonly parameters: number;
  /** Elements of the running statistics. */
  readonly running: number;
  /** Trained values without padding. */
  readonly trained: number;
  readonly tensors: readonly Tensor[];
}

export function padded(width: number): number {
  return Math.ceil(width / 8) * 8;
}

export function layoutOf(shape: NetworkShape): Layout {
  const layers: LayerLayout[] = [];
  const tensors: Tensor[] = [];
  let next = 0;
  let running = 0;
  let inputs = shape.inputs;
  for (const [i, units] of shape.hidden.entries()) {
    const paddedInputs = padded(inputs);
    const paddedUnits = padded(units);
    const weight = next;
    const gamma = weight + paddedInputs * paddedUnits;
    const beta = gamma + paddedUnits;
    const runningMean = running;
    const runningVariance = running + paddedUnits;
    layers.push({ paddedInputs, paddedUnits, weight, gamma, beta, runningMean, runningVariance });
    const vector = { rows: 1, columns: units, stride: paddedUnits } as const;
    tensors.push(
      {
        name: `hidden.${i}.weight`,
        region: 'parameters',
        rows: inputs,
        columns: units,
        offset: weight,
        stride: paddedUnits,
      },
      { name: `hidden.${i}.norm.weight`, region: 'parameters', offset: gamma, ...vector },
      { name: `hidden.${i}.norm.bias`, region: 'parameters', offset: beta, ...vector },
      { name: `hidden.${i}.norm.running_mean`, region: 'running', offset: runningMean, ...vector },
      { name: `hidden.${i}.norm.running_var`, region: 'running', offset: runningVariance, ...vector },
    );
    next = beta + paddedUnits;
    running += 2 * paddedUnits;
    inputs = units;
  }
  const outputs = outputsOf(shape);
  const heads = {
    paddedInputs: padded(inputs),
    paddedOutputs: padded(outputs),
    weight: next,
    bias: next + padded(inputs) * padded(outputs),
  };
  const stride = heads.paddedOutputs;
  tensors.push(
    { name: 'heads.weight', region: 'parameters', rows: inputs, columns: outputs, offset: heads.weight, stride },
    { name: 'heads.bias', region: 'parameters', rows: 1, columns: outputs, offset: heads.bias, stride },
  );
  const trained = tensors
    .filter((tensor) => tensor.region === 'parameters')
    .reduce((sum, tensor) => sum + tensor.rows * tensor.columns, 0);
  const parameters = Math.ceil((heads.bias + stride) / 16) * 16;
  return { layers, paddedInputs: padded(shape.inputs), heads, parameters, running, trained, tensors };
}
