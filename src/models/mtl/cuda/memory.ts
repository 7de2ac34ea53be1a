/** What a stack needs on the device, known before anything is allocated. */
import { layoutOf } from '../layout.ts';
import type { NetworkShape } from '../shape.ts';
import { stackSizes } from './shape-source.ts';

/** Bytes of the arrays of `Stack` (kernels/cuda/stack.cuh), by name. */
export interface StackMemory {
  /** The same for any number of networks. */
  readonly shared: Readonly<Record<'features' | 'targets' | 'measured', number>>;
  /** For each network. */
  readonly each: Readonly<
    Record<
      | 'parameters'
      | 'gradient'
      | 'first'
      | 'second'
      | 'running'
      | 'members'
      | 'active'
      | 'orders'
      | 'z'
      | 'activations'
      | 'slopes'
      | 'statistics'
      | 'outputs'
      | 'logSums'
      | 'norms'
      | 'sums',
      number
    >
  >;
}

const FLOAT = 4;
/** The driver's own needs, and the loss to the grain of its allocations. */
const USABLE_SHARE = 0.95;

/**
 * @param rows rows of the largest batch
 * @param dataRows rows of the data
 */
export function stackMemory(shape: NetworkShape, rows: number, dataRows: number): StackMemory {
  const layout = layoutOf(shape);
  const sizes = stackSizes(shape, rows);
  const { columns, outputs } = sizes;
  return {
    shared: {
      features: dataRows * layout.paddedInputs * FLOAT,
      targets: dataRows * outputs * FLOAT,
      measured: rows * FLOAT,
    },
    each: {
      parameters: layout.parameters * FLOAT,
      gradient: layout.parameters * FLOAT,
      first: layout.parameters * FLOAT,
      second: layout.parameters * FLOAT,
      running: layout.running * FLOAT,
      members: sizes.memberWords * FLOAT,
      active: FLOAT,
      // At worst every network has an order of its own.
      orders: dataRows * FLOAT,
      z: rows * columns * FLOAT,
      activations: rows * columns * FLOAT,
      slopes: rows * columns * FLOAT,
      statistics: 2 * columns * FLOAT,
      outputs: rows * outputs * FLOAT,
      logSums: rows * shape.heads.length * FLOAT,
      norms: (sizes.weightTiles + 1) * FLOAT,
      sums: 2 * outputs * 8,
    },
  };
}

export function bytesOf(memory: StackMemory, networks: number): number {
  const total = (parts: Readonly<Record<string, number>>): number => Object.values(parts).reduce((a, b) => a + b, 0);
  return total(memory.shared) + networks * total(memory.each);
}

/** How many networks fit into so many free bytes; 0 if not even one does. */
export function networksThatFit(memory: StackMemory, freeBytes: number): number {
  const fixed = bytesOf(memory, 0);
  const each = bytesOf(memory, 1) - fixed;
  return Math.max(0, Math.floor((freeBytes * USABLE_SHARE - fixed) / each));
}
