/** A trained network with all it needs to predict: scaling of features, heads, weights. One file. */
import { FathomError } from '../../errors.ts';
import type { Products } from '../../kernels/kernels.ts';
import type { Frame } from '../../tables/frame.ts';
import { decodeContainer, encodeContainer, type StoredArray } from './container.ts';
import type { Layout, Tensor } from './layout.ts';
import { Network } from './network.ts';
import { NetworkStack } from './network-stack.ts';
import { applyScaler, type ScaledFeature } from './scaler.ts';
import type { NetworkShape } from './shape.ts';
import { type Head, shapeOfHead } from './targets.ts';
import { Workspace } from './workspace.ts';

/** The learned values of a network, wherever they were learned. */
export interface Weights {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  region(name: Tensor['region']): Float32Array;
}

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
export function encodeModel({
  network,
  features,
  heads,
}: Omit<MtlModel, 'network'> & { readonly network: Weights }): Uint8Array {
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
    throw new FathomError('data', `${where}: a model of the format "${format}", expected "${FORMAT}"`, {
      hint: 'train it again with this version',
    });
  const shape: NetworkShape = { inputs: features.length, hidden, heads: heads.map(shapeOfHead) };
  const network = new Network(new Workspace(shape, PREDICT_ROWS, products));
  for (const tensor of network.layout.tensors) {
    const stored = arrays.find((array) => array.name === tensor.name);
    if (stored?.bytes.length !== tensor.rows * tensor.columns * 4)
      throw new FathomError('data', `${where}: "${tensor.name}" is missing or of the wrong size`);
    unpackTensor(network, tensor, stored.bytes);
  }
  return { network, features, heads };
}

function packTensor(network: Weights, { name, region, rows, columns, offset, stride }: Tensor): StoredArray {
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
 * Predictions in the labels' own units, one array per output column.
 *
 * @param outputs of the network, row-major
 * @param stride columns of a row of `outputs`
 */
export function inOwnUnits(heads: readonly Head[], outputs: Float32Array, stride: number): Float64Array[] {
  const rows = outputs.length / stride;
  return heads
    .flatMap((head) => head.outputs)
    .map(({ scale, offset }, c) =>
      Float64Array.from({ length: rows }, (_, row) => (outputs[row * stride + c] as number) * scale + offset),
    );
}

/** Predictions of a loaded model for all rows of a frame that has its features. */
export function predictFrame(model: MtlModel, frame: Frame): Float64Array[] {
  const { values } = applyScaler(frame, model.features);
  const targets = new Float32Array(frame.rows * model.heads.reduce((sum, head) => sum + head.outputs.length, 0));
  model.network.loadData(frame.rows, values, targets);
  const rows = Uint32Array.from({ length: frame.rows }, (_, row) => row);
  const stack = new NetworkStack([model.network], frame.rows, frame.rows);
  return inOwnUnits(model.heads, stack.predict(0, rows), model.network.layout.heads.paddedOutputs);
}
