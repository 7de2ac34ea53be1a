/** The table by which the kernels know what each output column is; see `kernels/heads.ts`. */
import { firstOutputs, type NetworkShape } from './shape.ts';

const ALL_BITS = 0xffffffff;

/** Writes six rows of `columns` values: slope, offset, masks of ReLU, identity, logistic loss and softmax. */
export function writeHeadTable(shape: NetworkShape, columns: number, table: DataView): void {
  const at = (row: number, column: number): number => (row * columns + column) * 4;
  // Padding is an identity output: it is 0, and with a target of 0 so are its loss and gradient.
  for (let column = 0; column < columns; column++) {
    table.setFloat32(at(0, column), 1, true);
    table.setUint32(at(3, column), ALL_BITS, true);
  }
  const first = firstOutputs(shape);
  for (const [h, head] of shape.heads.entries()) {
    for (let i = 0; i < head.outputs; i++) {
      const column = (first[h] as number) + i;
      table.setFloat32(at(0, column), head.kind === 'tanh' ? 2 : 1, true);
      table.setFloat32(at(1, column), head.kind === 'tanh' ? 1 : 0, true);
      table.setUint32(at(2, column), head.kind === 'relu' ? ALL_BITS : 0, true);
      table.setUint32(at(3, column), head.kind === 'regression' ? ALL_BITS : 0, true);
      table.setUint32(at(4, column), head.kind === 'binary' ? ALL_BITS : 0, true);
      table.setUint32(at(5, column), head.kind === 'multiclass' ? ALL_BITS : 0, true);
    }
  }
}
