/** A trained network with all it needs to predict: scaling of features, heads, weights. One file. */
import { FathomError } from '../../errors.ts';
import type { Products } from '../../kernels/kernels.ts';
import type { Frame } from '../../tables/frame.ts';
import { decodeContainer, encodeContainer, type StoredArray } from './container.ts';
import type { Tensor } from './layout.ts';
import { Network } from './network.ts';
import { applyScaler, type ScaledFeature } from './scaler.ts';
import type { NetworkShape } from './shape.ts';
import { type Head, shapeOfHead } from './targets.ts';

export interface MtlModel {
  readonly network: Network;
  readonly features: readonly ScaledFeature[];
  readonly heads: readonly Head[];
}

/** Rows that are predicted at a time. */
const PREDICT_ROWS = 512;
const FORMAT = 'fathom.mtl/1';

interface ModelMetadata {
  readonly format: string;
  readonly hidden: readonly number[];
  readonly features: readonly ScaledFeature[];
  readonly heads: readonly Head[];
}

/** The bytes of a model file: safetensors, weights as [outputs, inputs] like torch's, the rest in its metadata. */
export function encodeModel({ network, features, heads }: MtlModel): Uint8Array {
  const metadata: ModelMetadata = { format: FORMAT, hidden: network.shape.hidden, features, heads };
  return encodeContainer({ metadata, arrays: network.layout.tensors.map((tensor) => packTensor(network, tensor)) });
}

/**
 * @param where name of the file in errors
 * @param products does the matrix products; a file does not depend on who did them in training
 */
export function decodeModel(file: Uint8Array, where: string, products?: Products): MtlModel {
  const { metadata, arrays } = decodeContainer(file, where);
  const { format, hidden, features, heads } = metadata as ModelMetadata;
  if (format !== FORMAT)
    throw new FathomError('data', `${where}: a model of the format "${format}", expected "${FORMAT}"`);
  const shape: NetworkShape = { inputs: features.length, hidden, heads: heads.map(shapeOfHead) };
  const network = new Network(shape, PREDICT_ROWS, products);
  for (const tensor of network.layout.tensors) {
    const stored = arrays.find((array) => array.name === tensor.name);
    if (stored?.bytes.length !== tensor.rows * tensor.columns * 4)
      throw new FathomError('data', `${where}: "${tensor.name}" is missing or of the wrong size`);
    unpackTensor(network, tensor, stored.bytes);
  }
  return { network, features, heads };
}

function packTensor(network: Network, { name, region, rows, columns, offset, stride }: Tensor): StoredArray {
  const source = network.region(region);
  const bytes = new Uint8Array(rows * columns * 4);
  const view = new DataView(bytes.buffer);
  for (let j = 0; j < columns; j++)
    for (let i = 0; i < rows; i++) view.setFloat32((j * rows + i) * 4, source[offset + i * stride + j] as number, true);
  const isMatrix = name.endsWith('.weight') && !name.endsWith('.norm.weight');
  return { name, type: 'F32', shape: isMatrix ? [columns, rows] : [columns], bytes };
}

function unpackTensor(network: Network, { region, rows, columns, offset, stride }: Tensor, bytes: Uint8Array): void {
  const target = network.region(region);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let j = 0; j < columns; j++)
    for (let i = 0; i < rows; i++) target[offset + i * stride + j] = view.getFloat32((j * rows + i) * 4, true);
}

/**
 * Predictions in the labels' own units, one array per output column over `rows`. The network's data must be loaded.
 *
 * @param cancelled asked between pieces of the work; undefined is returned once it says so
 */
export function predictRows(
  model: Pick<MtlModel, 'network' | 'heads'>,
  rows: Uint32Array,
  cancelled: () => boolean,
): Float64Array[] | undefined {
  const columns = model.heads.flatMap((head) => head.outputs);
  const stride = model.network.layout.heads.paddedOutputs;
  const predicted = columns.map(() => new Float64Array(rows.length));
  for (let first = 0; first < rows.length; first += model.network.maxRows) {
    if (cancelled()) return undefined;
    const batch = rows.subarray(first, first + model.network.maxRows);
    const outputs = model.network.predict(batch);
    for (const [c, { scale, offset }] of columns.entries()) {
      const target = predicted[c] as Float64Array;
      for (let i = 0; i < batch.length; i++) target[first + i] = (outputs[i * stride + c] as number) * scale + offset;
    }
  }
  return predicted;
}

/** Predictions of a loaded model for all rows of a frame that has its features. */
export function predictFrame(model: MtlModel, frame: Frame): Float64Array[] {
  const { values } = applyScaler(frame, model.features);
  const targets = new Float32Array(frame.rows * model.heads.reduce((sum, head) => sum + head.outputs.length, 0));
  model.network.loadData(frame.rows, values, targets);
  const rows = Uint32Array.from({ length: frame.rows }, (_, row) => row);
  return predictRows(model, rows, () => false) as Float64Array[];
}
