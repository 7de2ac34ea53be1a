import { expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/tables/frame.ts';

it('a frame may name one array in two columns', () => {
  const codes = Int32Array.of(0, 1, 0, 1);
  const values = Float64Array.of(1, 2, 3, 4);
  const labels = ['a', 'b'];
  const frame = decodeFrame(
    encodeFrame({
      rows: 4,
      columns: [
        { name: 'wallet', role: 'id', type: 'category', labels, codes },
        { name: 'owner', role: 'group', type: 'category', labels, codes },
        { name: 'x', role: 'feature', type: 'number', values },
        { name: 'y', role: 'feature', type: 'number', values },
      ],
    }),
  );
  expect(frame.columns.map((c) => [...(c.type === 'number' ? c.values : c.codes)])).toEqual([
    [0, 1, 0, 1],
    [0, 1, 0, 1],
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ]);
});
