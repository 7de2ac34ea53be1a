import { describe, expect, it } from 'vitest';
import { openDuck } from '../../src/tables/duck.ts';
import { CHUNK_ROWS, registerRows } from '../../src/tables/row-source.ts';
import { temporaryFolder } from '../support/stage.ts';

const ROWS = 2 * CHUNK_ROWS + 77;
/** Before 1970, after it, and beyond 32 bits of microseconds. */
const timeOf = (row: number): number => (row - 100) * 86_400_000_123;
const numberOf = (row: number): number => (row % 3 === 1 ? Number.NaN : row / 7);

describe('rows that a query reads from arrays', () => {
  it('keep order, exact times and which values are unknown, in every query anew', async () => {
    const duck = await openDuck({ threads: 2, memoryMb: 256, scratch: await temporaryFolder() });
    try {
      let row = 0;
      registerRows(
        duck,
        'made',
        [
          { name: 'at', cell: 'time' },
          { name: 'row', cell: 'integer' },
          { name: 'value', cell: 'number' },
        ],
        ([times, rows, values]) => {
          const count = Math.min(CHUNK_ROWS, ROWS - row);
          for (let k = 0; k < count; k++, row++) {
            (times as Float64Array)[k] = timeOf(row);
            (rows as Float64Array)[k] = row - 5;
            (values as Float64Array)[k] = numberOf(row);
          }
          return count;
        },
      );
      for (let query = 0; query < 2; query++) {
        row = 0;
        const found = await duck.rows<{ at: number; row: number; value: number | null }>(
          'SELECT epoch_us("at")::DOUBLE AS "at", row, value FROM made()',
        );
        expect(found.length).toBe(ROWS);
        found.forEach((one, k) => {
          const value = numberOf(k);
          expect(one).toEqual({ at: timeOf(k), row: k - 5, value: Number.isNaN(value) ? null : value });
        });
      }
    } finally {
      duck.close();
    }
  });

  it('stop the query with what filling throws', async () => {
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: await temporaryFolder() });
    try {
      registerRows(duck, 'broken', [{ name: 'value', cell: 'number' }], () => {
        throw new Error('no more numbers');
      });
      await expect(duck.rows('SELECT * FROM broken()')).rejects.toThrow(/no more numbers/);
    } finally {
      duck.close();
    }
  });
});
