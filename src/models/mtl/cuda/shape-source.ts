/** The constants of one shape of network as CUDA C: `shape.cuh`, the head of the kernels in kernels/cuda. */
import { layoutOf } from '../layout.ts';
import { firstOutputs, type NetworkShape } from '../shape.ts';

/** As the kernels number them; see kernels/cuda/heads.cuh. */
const kindNumbers = { regression: 0, relu: 1, tanh: 2, sigmoid: 3, binary: 4, multiclass: 5 } as const;
const PADDING = 6;

/** Sizes that host and device must agree on. */
export interface StackSizes {
  /** Rows of the largest batch. */
  readonly rows: number;
  /** Units of all hidden layers, padded. */
  readonly columns: number;
  readonly outputs: number;
  /** 32-bit words of a `Member`. */
  readonly memberWords: number;
  /** 64 x 64 tiles of all weight matrices. */
  readonly weightTiles: number;
  /** True if the batch is small enough for gradients that are never stored. */
  readonly gram: boolean;
  /** Rows of a tile of the layers' products. */
  readonly tileRows: number;
}

export function stackSizes(shape: NetworkShape, rows: number): StackSizes {
  const { layers, heads } = layoutOf(shape);
  const tiles = (a: number, b: number): number => Math.ceil(a / 64) * Math.ceil(b / 64);
  const tileRows = rows <= 36 ? 32 : rows <= 68 ? 64 : 128;
  return {
    rows,
    columns: layers.reduce((sum, layer) => sum + layer.paddedUnits, 0),
    outputs: heads.paddedOutputs,
    memberWords: 10 + 2 * layers.length + shape.heads.length,
    weightTiles:
      layers.reduce((sum, layer) => sum + tiles(layer.paddedInputs, layer.paddedUnits), 0) +
      tiles(heads.paddedInputs, heads.paddedOutputs),
    gram: rows <= tileRows && tileRows <= 64,
    tileRows,
  };
}

export function shapeSource(shape: NetworkShape, rows: number): string {
  const layout = layoutOf(shape);
  const { layers, heads } = layout;
  const { columns } = stackSizes(shape, rows);
  const last = layers.length - 1;
  let column = 0;
  const layerTemplates = layers.map((layer, i) => {
    const constants = {
      INPUTS: layer.paddedInputs,
      UNITS: layer.paddedUnits,
      WEIGHT: layer.weight,
      GAMMA: layer.gamma,
      BETA: layer.beta,
      MEAN: layer.runningMean,
      VARIANCE: layer.runningVariance,
      COLUMN: column,
    };
    column += layer.paddedUnits;
    const list = Object.entries(constants).map(([name, value]) => `${name} = ${value}`);
    return `template <> struct Layer<${i}> { static constexpr int ${list.join(', ')}; };`;
  });
  const kinds: number[] = [];
  const headOf: number[] = [];
  for (const [h, head] of shape.heads.entries())
    for (let i = 0; i < head.outputs; i++) {
      kinds.push(kindNumbers[head.kind]);
      headOf.push(h);
    }
  while (kinds.length < heads.paddedOutputs) {
    kinds.push(PADDING);
    headOf.push(0);
  }
  const table = (name: string, values: readonly number[]): string =>
    `__constant__ int ${name}[${values.length}] = {${values.join(', ')}};`;
  return [
    `#define ROWS ${rows}`,
    `constexpr int LAYERS = ${layers.length}, COLUMNS = ${columns};`,
    `constexpr int INPUTS = ${layout.paddedInputs}, OUTPUTS = ${heads.paddedOutputs}, HEADS = ${shape.heads.length};`,
    `constexpr int PARAMETERS = ${layout.parameters}, RUNNING = ${layout.running};`,
    `constexpr int HEAD_WEIGHT = ${heads.weight}, HEAD_BIAS = ${heads.bias};`,
    'template <int L> struct Layer;',
    ...layerTemplates,
    table('OUTPUT_KIND', kinds),
    table('OUTPUT_HEAD', headOf),
    table('HEAD_FIRST', firstOutputs(shape)),
    table(
      'HEAD_COUNT',
      shape.heads.map((head) => head.outputs),
    ),
    `#define FOR_EACH_LAYER(X) ${layers.map((_, i) => `X(${i})`).join(' ')}`,
    `#define FOR_EACH_LAYER_BELOW(X) ${Array.from({ length: last }, (_, i) => `X(${i}, ${i + 1})`).join(' ')}`,
    '',
  ].join('\n');
}
