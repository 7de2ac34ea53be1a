/** Stacks on the TensorFlow.js of this process. */
import { loadTensorflow } from '../../../native/tensorflow.ts';
import type { StackMaker } from '../stack.ts';
import type { TensorFlow } from './api.ts';
import { TensorflowStack } from './stack.ts';

export function tensorflowStacks(): { readonly stacks: StackMaker; readonly version: string } {
  const { tf, version } = loadTensorflow();
  return { stacks: { make: (request) => new TensorflowStack(tf as TensorFlow, request) }, version };
}
