import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Duck, openDuck } from '../../src/tables/duck.ts';
import { createNumberTable, nullIfNaN, streamNumbers } from '../../src/tables/stream.ts';
import { temporaryFolder } from '../support/stage.ts';

let duck: Duck;
beforeEach(async () => {
  duck = await openDuck({ threads: 2, memoryMb: 256, scratch: await temporaryFolder() });
});
afterEach(() => duck.close());

describe('streams of numbers', () => {
  it('bring every row in order, null as NaN, while other statements run', async () => {
    const seen: number[] = [];
    const sql = 'SELECT CASE WHEN range % 10 <> 3 THEN range::DOUBLE END, (2 * range)::DOUBLE FROM range(20000)';
    const running: Promise<void>[] = [];
    await streamNumbers(duck, sql, 20_000, ([a, b], rows) => {
      running.push(duck.run('SELECT 1'));
      for (let i = 0; i < rows; i++) seen.push((a as Float64Array)[i] as number, (b as Float64Array)[i] as number);
    });
    await Promise.all(running);
    expect(seen.length).toBe(40_000);
    for (let k = 0; k < 20_000; k++) {
      expect(seen[2 * k]).toBe(k % 10 === 3 ? Number.NaN : k);
      expect(seen[2 * k + 1]).toBe(2 * k);
    }
  });

  it('are counted, and hold doubles alone', async () => {
    await expect(streamNumbers(duck, 'SELECT range::DOUBLE FROM range(5)', 6, () => undefined)).rejects.toThrow(
      '5 of 6',
    );
    await expect(streamNumbers(duck, "SELECT 'x'", 1, () => undefined)).rejects.toThrow('not DOUBLE');
    await expect(streamNumbers(duck, 'SELECT 1::INTEGER', 1, () => undefined)).rejects.toThrow('not DOUBLE');
  });
});

describe('tables of numbers', () => {
  it('hold what was appended, across chunks', async () => {
    const table = await createNumberTable(duck, 't', ['k', 'a value']);
    for (let k = 0; k < 5000; k++) table.append([k, k % 7 === 0 ? Number.NaN : k / 3]);
    expect(table.finish()).toBe(5000);
    const rows = await duck.rows<{ k: number; v: number | null }>(
      `SELECT k, ${nullIfNaN('a value')} AS v FROM t ORDER BY k`,
    );
    expect(rows.length).toBe(5000);
    expect(rows.every(({ k, v }, i) => k === i && v === (k % 7 === 0 ? null : k / 3))).toBe(true);
  });

  it('may stay empty', async () => {
    const table = await createNumberTable(duck, 'none', ['k']);
    expect(table.finish()).toBe(0);
    expect(await duck.rows('SELECT * FROM none')).toEqual([]);
  });
});
