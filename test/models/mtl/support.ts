/** Networks with random weights and data, and the way between the kernels' memory and the oracle's matrices. */
import { describe } from 'vitest';
import type { Products } from '../../../src/kernels/kernels.ts';
import { Cuts } from '../../../src/models/mtl/cuts.ts';
import type { Network } from '../../../src/models/mtl/network.ts';
import { openblasProducts } from '../../../src/models/mtl/openblas.ts';
import type { Matrix, OracleMoments, OracleState } from '../../../src/models/mtl/oracle.ts';
import { noOpenblas, theOpenblas } from '../../support/kernels.ts';

export { everyHead, flat, largestDifference, randomData } from '../../../src/models/mtl/conformance.ts';
export { buildKernels, noOpenblas, theOpenblas } from '../../support/kernels.ts';

/** Products by OpenBLAS. `cpuTime` is the clock of the search for cuts. */
export function blasProducts(cpuTime: () => number = () => process.cpuUsage().user): Products {
  return openblasProducts(theOpenblas(), new Cuts(theOpenblas(), cpuTime));
}

/** Describes what every engine of the network must do. */
export function describeEngines(
  title: string,
  body: (products: Products | undefined, engine: 'wasm' | 'openblas') => void,
): void {
  describe(`wasm: ${title}`, () => body(undefined, 'wasm'));
  if (noOpenblas === undefined) describe(`openblas: ${title}`, () => body(blasProducts(), 'openblas'));
  else describe.skip(`openblas: ${title} (${noOpenblas})`, () => body(undefined, 'openblas'));
}

/** Reads tensors of a region of the network by name. */
function reader(network: Network, region: 'parameters' | 'first' | 'second' | 'running' | 'gradient') {
  const values = network.region(region);
  return (name: string): Matrix => {
    const tensor = network.layout.tensors.find((t) => t.name === name);
    if (tensor === undefined) throw new Error(`no tensor ${name}`);
    const { rows, columns, offset, stride } = tensor;
    return Array.from({ length: rows }, (_, i) =>
      Array.from(values.subarray(offset + i * stride, offset + i * stride + columns)),
    );
  };
}

/** Parameters (or their gradient, or a moment) as the oracle keeps them. */
export function readState(
  network: Network,
  region: 'parameters' | 'first' | 'second' | 'gradient' = 'parameters',
): OracleState {
  const read = reader(network, region);
  const running = reader(network, 'running');
  return {
    layers: network.shape.hidden.map((_, l) => ({
      weight: read(`hidden.${l}.weight`),
      gamma: read(`hidden.${l}.norm.weight`)[0] as number[],
      beta: read(`hidden.${l}.norm.bias`)[0] as number[],
      runningMean: running(`hidden.${l}.norm.running_mean`)[0] as number[],
      runningVariance: running(`hidden.${l}.norm.running_var`)[0] as number[],
    })),
    headWeight: read('heads.weight'),
    headBias: read('heads.bias')[0] as number[],
  };
}

export function readMoments(
  network: Network,
  steps: number,
  vectors: (state: OracleState) => number[][],
): OracleMoments {
  return {
    first: vectors(readState(network, 'first')),
    second: vectors(readState(network, 'second')),
    steps,
  };
}

export function rowsOf(count: number, first = 0): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => first + i);
}

/** FNV-1a over the words of the values: equal bits give an equal number. */
export function fingerprint(values: Float32Array): number {
  const words = new Uint32Array(values.slice().buffer);
  return words.reduce((hash, word) => (Math.imul(hash, 16777619) ^ word) >>> 0, 2166136261);
}
