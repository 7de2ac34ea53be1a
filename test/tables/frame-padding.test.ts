import { expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type Frame } from '../../src/tables/frame.ts';

it.each([0, 1, 2, 3, 569])('a frame of %i rows comes back with columns of as many values', (rows) => {
  const frame: Frame = {
    rows,
    columns: [
      { name: 'f', role: 'feature', type: 'number', values: Float32Array.from({ length: rows }, (_, i) => i) },
      { name: 'g', role: 'feature', type: 'number', values: Float64Array.from({ length: rows }, (_, i) => -i) },
      { name: 'c', role: 'info', type: 'category', labels: ['x'], codes: new Int32Array(rows) },
    ],
  };
  const decoded = decodeFrame(encodeFrame(frame));
  expect(decoded.rows).toBe(rows);
  for (const column of decoded.columns)
    expect(column.type === 'number' ? column.values.length : column.codes.length).toBe(rows);
  if (rows === 0) return;
  expect(decoded).toEqual(frame);
  expect(encodeFrame(decoded)).toEqual(encodeFrame(frame));
});
