/** The state of a training as bytes: a line of JSON with the losses, then the model. */
import type { TrainingState } from './train.ts';

export function encodeState({ model, trainingLoss, validationLoss }: TrainingState): Uint8Array {
  const head = Buffer.from(`${JSON.stringify({ trainingLoss, validationLoss })}\n`);
  return Buffer.concat([head, model]);
}

export function decodeState(bytes: Uint8Array): TrainingState {
  const end = bytes.indexOf(0x0a);
  const head = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8')) as Omit<TrainingState, 'model'>;
  return { ...head, model: bytes.subarray(end + 1) };
}
