/** The part of the TensorFlow.js API that is used. Its own types would be a dependency of 300 MB. */

export interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
  dispose(): void;
}

export interface Variable extends Tensor {
  assign(value: Tensor): void;
}

type Operand = Tensor | number;

export interface TensorFlow {
  tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  tensor1d(values: Float32Array | Int32Array, type?: 'float32' | 'int32'): Tensor;
  variable(initial: Tensor): Variable;
  gather(from: Tensor, indices: Tensor): Tensor;
  slice(from: Tensor, begin: [number, number], size: [number, number]): Tensor;
  concat(parts: Tensor[], axis: number): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  add(a: Operand, b: Operand): Tensor;
  sub(a: Operand, b: Operand): Tensor;
  mul(a: Operand, b: Operand): Tensor;
  div(a: Operand, b: Operand): Tensor;
  maximum(a: Operand, b: Operand): Tensor;
  square(a: Tensor): Tensor;
  sqrt(a: Tensor): Tensor;
  abs(a: Tensor): Tensor;
  neg(a: Tensor): Tensor;
  exp(a: Tensor): Tensor;
  log1p(a: Tensor): Tensor;
  relu(a: Tensor): Tensor;
  tanh(a: Tensor): Tensor;
  sigmoid(a: Tensor): Tensor;
  softmax(a: Tensor): Tensor;
  logSoftmax(a: Tensor): Tensor;
  sum(a: Tensor, axis?: number): Tensor;
  mean(a: Tensor, axis?: number): Tensor;
  tidy<T>(body: () => T): T;
  keep(a: Tensor): Tensor;
  dispose(all: readonly Tensor[]): void;
  variableGrads(
    loss: () => Tensor,
    variables: Variable[],
  ): { readonly value: Tensor; readonly grads: Readonly<Record<string, Tensor>> };
}
