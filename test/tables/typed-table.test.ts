import { describe, expect, it } from 'vitest';
import { openDuck } from '../../src/tables/duck.ts';
import { createTypedTable } from '../../src/tables/typed-table.ts';
import { temporaryFolder } from '../support/stage.ts';

describe('typed table', () => {
  it('keeps whole numbers of any size, halves and nulls, over several chunks', async () => {
    const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: await temporaryFolder() });
    try {
      const table = await createTypedTable(duck, 'rows', [
        { name: 'number', cell: 'integer' },
        { name: 'usd', cell: 'micros' },
        { name: 'half', cell: 'halves' },
        { name: 'moment', cell: 'time' },
        { name: 'kind', cell: ['a', 'b'] },
      ]);
      const amounts = [0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, -(2 ** 32), 2 ** 50 + 1, -(2 ** 50) - 1];
      const halves = [...amounts, 2 ** 53 - 1, -(2 ** 53) + 1];
      const count = 5000;
      for (let i = 0; i < count; i++) {
        table.integerOrNone(0, i % 3 === 0 ? -1 : i);
        table.wholeOrNone(1, i % 7 === 0 ? Number.NaN : (amounts[i % amounts.length] as number));
        table.halvesOrNone(2, i % 11 === 0 ? Number.NaN : (halves[i % halves.length] as number));
        table.whole(3, 1_700_000_000_123_456 + i);
        if (i % 5 === 0) table.none(4);
        else table.word(4, i % 2);
        table.next();
      }
      expect(table.finish()).toBe(count);
      const rows = await duck.rows<Record<string, string | null>>(
        `SELECT number::VARCHAR AS number, (usd::DECIMAL(38, 6) * 1000000)::HUGEINT::VARCHAR AS usd,
           (half::DECIMAL(38, 7) * 2000000)::HUGEINT::VARCHAR AS half, epoch_us(moment)::VARCHAR AS moment, kind::VARCHAR AS kind FROM rows`,
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
    } finally {
      duck.close();
    }
  });
});
