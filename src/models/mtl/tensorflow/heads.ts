/** The heads on TensorFlow.js: values, and losses of present targets. */
import { firstOutputs, type HeadKind, type NetworkShape } from '../shape.ts';
import type { Tensor, TensorFlow } from './api.ts';

/** Columns of one head. */
function columnsOf(tf: TensorFlow, matrix: Tensor, first: number, count: number): Tensor {
  return tf.slice(matrix, [0, first], [matrix.shape[0] as number, count]);
}

function outputOf(tf: TensorFlow, kind: HeadKind, z: Tensor): Tensor {
  switch (kind) {
    case 'multiclass':
      return tf.softmax(z);
    case 'tanh':
      return tf.tanh(z);
    case 'sigmoid':
    case 'binary':
      return tf.sigmoid(z);
    case 'relu':
      return tf.relu(z);
    default:
      return z;
  }
}

/** Outputs from the pre-activations. */
export function headValues(tf: TensorFlow, shape: NetworkShape, z: Tensor): Tensor {
  const firsts = firstOutputs(shape);
  const parts = shape.heads.map(({ kind, outputs }, h) =>
    outputOf(tf, kind, columnsOf(tf, z, firsts[h] as number, outputs)),
  );
  return tf.concat(parts, 1);
}

/** Loss of every output; what is missing is masked by the caller. */
function lossOf(tf: TensorFlow, kind: HeadKind, z: Tensor, target: Tensor): Tensor {
  if (kind === 'multiclass') return tf.neg(tf.mul(target, tf.logSoftmax(z)));
  if (kind === 'binary')
    // max(z, 0) - t z + log(1 + e^-|z|) does not overflow.
    return tf.add(tf.sub(tf.maximum(z, 0), tf.mul(target, z)), tf.log1p(tf.exp(tf.neg(tf.abs(z)))));
  return tf.square(tf.sub(outputOf(tf, kind, z), target));
}

/**
 * The weighted loss, and per output column the sum of its losses and the number of targets that are there.
 *
 * @param target rows x outputs, 0 where missing
 * @param present 1 where a target is there, else 0
 * @param weights of the heads
 */
export function headLosses(
  tf: TensorFlow,
  shape: NetworkShape,
  z: Tensor,
  target: Tensor,
  present: Tensor,
  weights: readonly number[],
): { readonly loss: Tensor; readonly losses: Tensor; readonly counts: Tensor } {
  const firsts = firstOutputs(shape);
  const sums: Tensor[] = [];
  let loss = tf.mul(tf.sum(z), 0);
  const counts = tf.sum(present, 0);
  const known = counts.dataSync();
  for (const [h, { kind, outputs }] of shape.heads.entries()) {
    const first = firsts[h] as number;
    const part = (matrix: Tensor): Tensor => columnsOf(tf, matrix, first, outputs);
    const losses = tf.mul(lossOf(tf, kind, part(z), part(target)), part(present));
    sums.push(tf.sum(losses, 0));
    let there = known.subarray(first, first + outputs).reduce((a, b) => a + b, 0);
    if (kind === 'multiclass') there /= outputs;
    if (there > 0) loss = tf.add(loss, tf.mul(tf.sum(losses), (weights[h] ?? 1) / there));
  }
  return { loss, losses: tf.concat(sums, 0), counts };
}
