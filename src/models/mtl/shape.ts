/** What a multi-task network is: a shared encoder and heads side by side. */
import { sigmoid, tanh } from '../../numeric/elementary.ts';

/**
 * Output function and loss of a head.
 * - `regression`: identity, squared error; targets are standardised by the training rows, predictions scaled back
 * - `relu`: max(0, z), squared error; targets of at least 0, divided by their training standard deviation
 * - `tanh`, `sigmoid`: squared error; targets within [-1, 1] and [0, 1]
 * - `binary`: sigmoid, logistic loss; targets 0 or 1
 * - `multiclass`: softmax over the classes, cross-entropy
 */
export const headKinds = ['regression', 'relu', 'tanh', 'sigmoid', 'binary', 'multiclass'] as const;
export type HeadKind = (typeof headKinds)[number];

export interface HeadShape {
  readonly kind: HeadKind;
  /** Output columns: components of a vector, classes, or 1. */
  readonly outputs: number;
}

/**
 * Encoder: per hidden layer Linear (without bias, which batch normalisation would remove again), BatchNorm, ReLU and
 * dropout. Heads: Linear to all output columns at once, then each head's own output function.
 */
export interface NetworkShape {
  readonly inputs: number;
  /** Units of the hidden layers, first to last; at least one layer. */
  readonly hidden: readonly number[];
  readonly heads: readonly HeadShape[];
}

/** Output columns of all heads together. */
export function outputsOf(shape: NetworkShape): number {
  return shape.heads.reduce((sum, head) => sum + head.outputs, 0);
}

/** First output column of every head. */
export function firstOutputs(shape: NetworkShape): number[] {
  let next = 0;
  return shape.heads.map((head) => {
    const first = next;
    next += head.outputs;
    return first;
  });
}

/** Value of a head's output function at z. Not for `multiclass`, whose outputs depend on each other. */
export function outputFunction(kind: HeadKind, z: number): number {
  if (kind === 'tanh') return tanh(z);
  if (kind === 'sigmoid' || kind === 'binary') return sigmoid(z);
  return kind === 'relu' ? Math.max(0, z) : z;
}
