import { describe, expect, it } from 'vitest';
import { type Duck, openDuck } from '../../src/tables/duck.ts';
import { MadeRows } from '../../src/tables/made-rows.ts';
import { temporaryFolder } from '../support/stage.ts';

async function withDuck(run: (duck: Duck) => Promise<void>): Promise<void> {
  const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: await temporaryFolder() });
  try {
    await run(duck);
  } finally {
    duck.close();
  }
}

describe('made rows', () => {
  it('keeps whole numbers of any size, halves and nulls, over several chunks', () =>
    withDuck(async (duck) => {
      const made = new MadeRows(duck, 'made', [
        { name: 'number', cell: 'integer' },
        { name: 'usd', cell: 'micros' },
        { name: 'half', cell: 'halves' },
        { name: 'moment', cell: 'time' },
        { name: 'kind', cell: ['a', 'b'] },
      ]);
      const amounts = [0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, -(2 ** 32), 2 ** 50 + 1, -(2 ** 50) - 1];
      const halves = [...amounts, 2 ** 53 - 1, -(2 ** 53) + 1];
      const count = 5000;
      let i = 0;
      const make = (): boolean => {
        if (i === count) return false;
        made.put(0, i % 3 === 0 ? Number.NaN : i);
        made.put(1, i % 7 === 0 ? Number.NaN : (amounts[i % amounts.length] as number));
        made.put(2, i % 11 === 0 ? Number.NaN : (halves[i % halves.length] as number));
        made.put(3, 1_700_000_000_123_456 + i);
        made.put(4, i % 5 === 0 ? Number.NaN : i % 2);
        made.next();
        i++;
        return true;
      };
      expect(await made.feed('CREATE TABLE "rows" AS FROM made()', make)).toBe(count);
      const rows = await duck.rows<Record<string, string | null>>(
        `SELECT number::VARCHAR AS number, (usd::DECIMAL(38, 6) * 1000000)::HUGEINT::VARCHAR AS usd,
           (half::DECIMAL(38, 7) * 2000000)::HUGEINT::VARCHAR AS half, epoch_us(moment)::VARCHAR AS moment, kind::VARCHAR AS kind FROM "rows"`,
      );
      expect(rows.length).toBe(count);
      rows.forEach((row, i) => {
        expect(row).toEqual({
          number: i % 3 === 0 ? null : String(i),
          usd: i % 7 === 0 ? null : String(amounts[i % amounts.length]),
          half: i % 11 === 0 ? null : String(halves[i % halves.length]),
          moment: String(1_700_000_000_123_456 + i),
          kind: i % 5 === 0 ? null : i % 2 === 0 ? 'a' : 'b',
        });
      });
    }));

  it('gives rows that were put before and those put many at a time, statement after statement', () =>
    withDuck(async (duck) => {
      const made = new MadeRows(duck, 'made', [{ name: 'number', cell: 'integer' }]);
      for (const [before, times] of [
        [5000, 0],
        [0, 0],
        [10, 3],
      ] as const) {
        let next = 0;
        const put = (rows: number): void => {
          for (let i = 0; i < rows; i++) {
            made.put(0, next++);
            made.next();
          }
        };
        put(before);
        let left: number = times;
        expect(
          await made.feed('CREATE OR REPLACE TABLE "rows" AS FROM made()', () => {
            if (left === 0) return false;
            left--;
            put(4097);
            return true;
          }),
        ).toBe(before + 4097 * times);
        const rows = await duck.rows<{ number: number }>('FROM "rows"');
        expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: before + 4097 * times }, (_, i) => i));
      }
    }));

  it('fails with the error of whoever makes the rows', () =>
    withDuck(async (duck) => {
      const made = new MadeRows(duck, 'made', [{ name: 'number', cell: 'integer' }]);
      const error = new Error('no more of this');
      const feeding = made.feed('CREATE TABLE "rows" AS FROM made()', () => {
        throw error;
      });
      await expect(feeding).rejects.toBe(error);
    }));

  it('stops if a statement leaves rows unread', () =>
    withDuck(async (duck) => {
      const made = new MadeRows(duck, 'made', [{ name: 'number', cell: 'integer' }]);
      made.put(0, 1);
      made.next();
      await expect(made.feed('SELECT 1')).rejects.toThrow('read 0 of 1 rows');
    }));
});
