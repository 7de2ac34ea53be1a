import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalColumns } from '../../../src/markets/canonical.ts';
import { readMarketNames } from '../../../src/markets/polymarket/market-names.ts';
import { PlainFills } from '../../../src/markets/polymarket/plain-fills.ts';
import {
  exchangeContracts,
  polyDataOrder,
  polyDataTradeColumns,
  polyDataTrades,
} from '../../../src/markets/polymarket/poly-data.ts';
import { columnsOfParquet, type Duck, openDuck, quote } from '../../../src/tables/duck.ts';
import { buildKernels } from '../../support/kernels.ts';
import { temporaryFolder } from '../../support/stage.ts';
import { plainLineEnd } from './plain-lines-oracle.ts';

const address = `0x${'0123456789abcdef'.repeat(3).slice(0, 40)}`;
const hash = `0x${'fedcba9876543210'.repeat(4)}`;
const good = [
  '2024-01-02T03:04:05.000000',
  '253954',
  address,
  exchangeContracts[0],
  'token1',
  'BUY',
  'SELL',
  '0.28',
  '2.786',
  '9.95',
  hash,
];

/** The good line with other texts in some fields. */
const line = (fields: Readonly<Record<number, string>> = {}): string[] => good.map((text, i) => fields[i] ?? text);

buildKernels();
let duck: Duck;
let scratch: string;
let fills: PlainFills;
beforeAll(async () => {
  scratch = await temporaryFolder();
  duck = await openDuck({ threads: 1, memoryMb: 300, scratch });
  await duck.run(`CREATE TABLE market AS FROM (VALUES ('253954', 'e', '11', '12', 'Yes', 'No'),
      ('7', 'e', '21', '22', 'Up', 'Down'), ('007', 'f', '31', '32', 'A', 'B'), ('abc', 'g', '41', '42', 'C', 'D'),
      ('9', 'h', '51', NULL, 'Ja', 'Nein'))
    AS t(market, event, token0, token1, outcome0, outcome1)`);
  fills = new PlainFills(await readMarketNames(duck, 'market'));
});
afterAll(() => duck.close());

const bytesOf = (lines: readonly string[]): Buffer => Buffer.from(lines.map((text) => `${text}\n`).join(''));

/** Whether the kernel takes a line, as a fill or as one that is refused, and whether it is plain. */
function seen(text: string): { taken: boolean; plain: boolean } {
  const bytes = bytesOf([text]);
  return { taken: fills.read(bytes), plain: plainLineEnd(bytes, 0) === bytes.length };
}

/** Whether what a plain line holds is left to the slow way: values beyond what the quick one counts with. */
function isDoubtful(text: string): boolean {
  const [time = '', market = '', , , , , , price = '', usd = '', shares = ''] = text.split(',');
  const clock = new Date(`${time.slice(0, 19)}Z`);
  const noTime = Number.isNaN(clock.getTime()) || clock.toISOString().slice(0, 19) !== time.slice(0, 19);
  const micros = (amount: string): bigint => {
    const [whole = '', decimals = ''] = amount.split('.');
    return BigInt(whole) * 1_000_000n + BigInt(decimals.padEnd(6, '0'));
  };
  const large = (amount: string): boolean =>
    (amount.split('.')[0] as string).length > 10 || micros(amount) > BigInt(Number.MAX_SAFE_INTEGER);
  const off = Math.abs(Number(price) - Number(usd) / Number(shares)) - 1e-6;
  return (
    noTime ||
    /^0\d|^\d{16}|^9$/.test(market) ||
    large(usd) ||
    large(shares) ||
    Math.abs(off) < 2e-12 ||
    Math.abs(Number(price) - 1) < 2e-12
  );
}

describe('plain lines', () => {
  it.each([
    [{}],
    [{ 0: '2024-01-02T03:04:05' }],
    [{ 0: '2024-02-29T03:04:05.1' }],
    [{ 3: address, 4: 'token2', 5: 'SELL', 6: 'SELL' }],
    [{ 7: '9.5e-05' }],
    [{ 7: '1', 8: '0', 9: '007.123456' }],
    [{ 1: '1' }],
  ])('have every field as poly_data writes it: %j', (fields) => {
    expect(seen(line(fields).join(','))).toEqual({ taken: true, plain: true });
  });

  it.each([
    [{ 0: '2024-13-02T03:04:05' }],
    [{ 0: '2023-02-29T03:04:05' }],
    [{ 0: '2024-01-02T24:00:00' }],
    [{ 1: '0253954' }],
    [{ 1: '9' }],
    [{ 7: '0.280001' }],
    [{ 8: '9007199254.740992' }],
    [{ 9: '99999999999' }],
  ])('are left to the slow way where a value is in doubt: %j', (fields) => {
    expect(isDoubtful(line(fields).join(','))).toBe(true);
    expect(seen(line(fields).join(','))).toEqual({ taken: false, plain: true });
  });

  it.each([
    [{ 0: '2024-01-02T03:04:05Z' }],
    [{ 0: '2024-01-02T03:04:05.1234567' }],
    [{ 0: '2024-01-02T03:04:05.' }],
    [{ 0: '1704164645' }],
    [{ 1: '253954.0' }],
    [{ 1: '' }],
    [{ 2: address.toUpperCase().replace('X', 'x') }],
    [{ 2: address.slice(0, -1) }],
    [{ 3: `${address}0` }],
    [{ 4: 'token3' }],
    [{ 5: 'buy' }],
    [{ 6: 'SELLS' }],
    [{ 7: 'nan' }],
    [{ 7: '1e-005' }],
    [{ 8: '-2.786' }],
    [{ 8: '1e-6' }],
    [{ 9: '9.9500000' }],
    [{ 10: hash.replace('f', 'g') }],
    [{ 10: `${hash},more` }],
    [{ 10: `${hash}\r` }],
    [{ 1: '"253954"' }],
  ])('have no other: %j', (fields) => {
    expect(seen(line(fields).join(','))).toEqual({ taken: false, plain: false });
  });

  it('are what the oracle takes character by character, whatever is changed in a line', () => {
    const text = line().join(',');
    const characters = fc.constantFrom(...'0123456789abcdefgABFZeE+-.:,TBUYSELtoken1 "x\r\0\u00ff/`@[{');
    const change = fc.record({
      kind: fc.constantFrom('replace', 'insert', 'remove', 'cut'),
      at: fc.nat(text.length - 1),
      with: characters,
    });
    let [plain, other, doubtful] = [0, 0, 0];
    fc.assert(
      fc.property(
        fc.constantFrom(text, text.replace('BUY,SELL', 'SELL,BUY').replace('0.28', '2.8e-1')),
        fc.array(change, { maxLength: 2 }),
        (start, changes) => {
          let changed = start;
          for (const { kind, at, with: put } of changes) {
            if (kind === 'cut') changed = changed.slice(0, at);
            else
              changed =
                changed.slice(0, at) + (kind === 'remove' ? '' : put) + changed.slice(kind === 'insert' ? at : at + 1);
          }
          const found = seen(changed);
          if (found.plain && !found.taken) {
            doubtful++;
            expect(isDoubtful(changed)).toBe(true);
          } else expect(found.taken).toBe(found.plain);
          if (found.taken) plain++;
          else other++;
        },
      ),
      { numRuns: 4000 },
    );
    expect(Math.min(plain, other)).toBeGreaterThan(500);
    expect(doubtful).toBeLessThan(plain);
  });
});

describe('the quick way', () => {
  const field = {
    0: fc.constantFrom(
      '2024-01-02T03:04:05.5',
      '2019-12-31T23:59:59',
      '2020-01-01T00:00:00',
      '2099-12-31T00:00:00',
      '2099-12-31T00:00:00.000001',
      '2024-12-31T23:59:59.999999',
    ),
    1: fc.constantFrom('7', '8', '123456789012345'),
    2: fc.constantFrom(address.replace('1', '2'), ...exchangeContracts),
    3: fc.constantFrom(address, address.replace('1', '3'), ...exchangeContracts),
    4: fc.constantFrom('token1', 'token2'),
    5: fc.constantFrom('BUY', 'SELL'),
    6: fc.constantFrom('BUY', 'SELL'),
    7: fc.constantFrom('0.2800005', '0.2800015', '0.29', '28e-2', '1.01', '0', '1e99', '0.27999999999999999999'),
    8: fc.constantFrom('2.786000', '0', '2.', '0.000001', '1234567890', '2.78', '0002.786'),
    9: fc.constantFrom('9.950000', '0', '0.000', '0.000002', '9007199254.740991', '12345678.123456', '123456789.5'),
    10: fc.constantFrom(hash.replace('f', '0'), hash.replace('4', '5')),
  };
  const lines = fc.array(
    // Few fields at a time: a line with many changes is refused for most of them, and tells little.
    fc
      .array(fc.constantFrom(...([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const)), { maxLength: 3 })
      .chain((places) =>
        fc
          .record(Object.fromEntries(places.map((place) => [place, field[place] as fc.Arbitrary<string>])))
          .map((fields) => line(fields).join(',')),
      ),
    { minLength: 1, maxLength: 400 },
  );
  const columns = canonicalColumns.trades.map(({ name, type }) => `"${name}"::${type}`).join(', ');

  it('writes the rows that all single checks let pass', async () => {
    const file = path.join(scratch, 'lines.csv');
    const part = path.join(scratch, 'part.parquet');
    const all = polyDataTradeColumns.map((name) => `'${name}': 'VARCHAR'`).join(', ');
    const csv = `(SELECT 1000 + row_number() OVER () - 1 AS "row", * FROM read_csv(${quote(file)}, header = false,
      auto_detect = false, columns = {${all}}))`;
    const fillsOf = (query: string): Promise<{ fill: string }[]> =>
      duck.rows(`SELECT (${columns})::VARCHAR AS fill FROM (${query}) ORDER BY seq`);
    let [kept, read] = [0, 0];
    await fc.assert(
      fc.asyncProperty(lines, async (rows) => {
        await writeFile(file, bytesOf(rows));
        expect(fills.read(bytesOf(rows))).toBe(true);
        const checked = await fillsOf(`SELECT "row" AS seq, *, usd::DOUBLE / shares::DOUBLE AS price, NULL AS fee,
            NULL AS orderHash, ${polyDataOrder} AS orderGroup
          FROM (${polyDataTrades(csv, 'market')}) WHERE reason IS NULL`);
        expect([fills.lines, fills.rows]).toEqual([rows.length, checked.length]);
        kept += checked.length;
        read += rows.length;
        if (checked.length === 0) return;
        await (await fills.write(part, 1000)).written;
        expect(await fillsOf(`FROM read_parquet(${quote(part)})`)).toEqual(checked);
      }),
      { numRuns: 40 },
    );
    expect(kept).toBeGreaterThan(read / 10);
    expect(kept).toBeLessThan(read);
  });

  it('reads amounts and prices of any number of digits', async () => {
    const part = path.join(scratch, 'amounts.parquet');
    const digits = (most: number) => fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most });
    const amount = fc
      .tuple(digits(9), fc.option(digits(6)))
      .map(([whole, decimals]) => whole.join('') + (decimals === null ? '' : `.${decimals.join('')}`))
      .filter((text) => Number(text) > 0);
    const fill = fc.tuple(amount, amount, fc.integer({ min: 1, max: 20 })).map(([a, b, places]) => {
      const [usd, shares] = Number(a) < Number(b) ? [a, b] : [b, a];
      return line({ 7: (Number(usd) / Number(shares)).toFixed(Math.max(places, 7)), 8: usd, 9: shares }).join(',');
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fill, { minLength: 1, maxLength: 100 }), async (rows) => {
        const plain = rows.filter((text) => !isDoubtful(text));
        expect(fills.read(bytesOf(plain))).toBe(true);
        expect(fills.rows).toBe(plain.length);
        if (plain.length === 0) return;
        await (await fills.write(part, 0)).written;
        const written = await duck.rows<{ usd: string; shares: string }>(
          `SELECT usd::VARCHAR AS usd, shares::VARCHAR AS shares FROM read_parquet(${quote(part)})`,
        );
        const exact = (text: string): string => {
          const [whole = '', decimals = ''] = text.split('.');
          return `${BigInt(whole)}.${decimals.padEnd(6, '0')}`;
        };
        expect(written).toEqual(
          plain.map((text) => {
            const fields = text.split(',');
            return { usd: exact(fields[8] as string), shares: exact(fields[9] as string) };
          }),
        );
      }),
      { numRuns: 40 },
    );
  });

  it.each([1, 127, 128, 129, 256, 300, 4000])(
    'looks up what %i fills name, a batch and a block of lines at a time',
    async (count) => {
      const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;
      const takers = (i: number): boolean => i % 3 === 2;
      const rows = Array.from({ length: count }, (_, i) =>
        line({
          // Names of the batch before, of the line before, and new ones.
          2: hex(i % 5 === 0 ? 7 : (i * 31) % 150, 40),
          3: takers(i) ? (exchangeContracts[1] as string) : hex(500 + (i >> 3), 40),
          10: hex((i % 50 === 49 ? 0 : i >> 1) + 1, 64),
        }).join(','),
      );
      const part = path.join(scratch, 'batches.parquet');
      expect(fills.read(bytesOf(rows))).toBe(true);
      await (await fills.write(part, 0)).written;
      const written = await duck.rows(`SELECT wallet, counterparty, "transaction" FROM read_parquet(${quote(part)})`);
      expect(written).toEqual(
        rows.map((text, i) => {
          const [, , wallet, other, , , , , , , transaction] = text.split(',');
          return { wallet, counterparty: takers(i) ? null : other, transaction };
        }),
      );
      // Transactions that come again later stand twice among those that the places point to.
      const [counted] = await duck.rows<{
        n: number;
        most: number;
      }>(`SELECT count(*)::DOUBLE AS n, max(fills)::DOUBLE AS most
        FROM (SELECT count(*) AS fills FROM read_parquet(${quote(part)}) GROUP BY "transaction")`);
      const fillsOf = new Map<string, number>();
      for (const { transaction } of written as { transaction: string }[])
        fillsOf.set(transaction, (fillsOf.get(transaction) ?? 0) + 1);
      expect(counted).toEqual({ n: fillsOf.size, most: Math.max(...fillsOf.values()) });
      for (const odd of [{ 5: 'buy' }, { 7: `0.28${'0'.repeat(300_000)}` }])
        for (const at of [0, count >> 1, count - 1])
          expect(fills.read(bytesOf(rows.with(at, line(odd).join(','))))).toBe(false);
    },
  );

  it('tells fills out of order and fills that may be the same', () => {
    const at = (time: string, fields: Readonly<Record<number, string>> = {}): string =>
      line({ 0: time, ...fields }).join(',');
    const [early, late] = ['2024-01-02T03:04:05', '2024-01-02T03:04:05.000001'];
    const told = (texts: readonly string[]): [boolean, boolean] => {
      expect(fills.read(bytesOf(texts))).toBe(true);
      return [fills.ordered, fills.different];
    };
    expect(told([at(early), at(late)])).toEqual([true, true]);
    expect(told([at(late), at(early)])).toEqual([false, true]);
    expect(told([at(early), at(late), at(late)])).toEqual([true, false]);
    expect(told([at(early), at(late), at(early), at(early)])).toEqual([false, false]);
    expect(told([at(early), at(early, { 3: address })])).toEqual([true, true]);
    const many = Array.from({ length: 1000 }, (_, i) => at(late, { 3: `0x${i.toString().padStart(40, '0')}` }));
    expect(told([at(early), ...many])).toEqual([true, true]);
    for (const again of [0, 1, 500, 999])
      expect(told([at(early), ...many, many[again] as string])).toEqual([true, false]);
    expect(told([at(early), at(early, { 9: '9.950' })])).toEqual([true, false]);
    // Another transaction between them makes them no different.
    expect(told([at(early), at(early, { 10: hash.replace('f', '0') }), at(early)])).toEqual([true, false]);
    expect(told([at(early), at(early, { 10: hash.replace('f', '0') })])).toEqual([true, true]);
    expect([fills.first, fills.last]).toEqual([
      Date.UTC(2024, 0, 2, 3, 4, 5) * 1000,
      Date.UTC(2024, 0, 2, 3, 4, 5) * 1000,
    ]);
  });

  it('writes the columns with their roles, and the range of numbers that grow', async () => {
    const part = path.join(scratch, 'roles.parquet');
    fills.read(bytesOf([line().join(','), line({ 0: '2024-01-02T03:04:06' }).join(',')]));
    await (await fills.write(part, 5)).written;
    expect(await columnsOfParquet(duck, part)).toEqual(canonicalColumns.trades.map(({ type: _, ...spec }) => spec));
    const ranges = await duck.rows(`SELECT path_in_schema AS name, stats_min_value AS least, stats_max_value AS greatest
      FROM parquet_metadata(${quote(part)}) WHERE stats_min_value IS NOT NULL ORDER BY column_id`);
    expect(ranges).toEqual([
      { name: 'seq', least: '5', greatest: '6' },
      { name: 'time', least: '2024-01-02 03:04:05', greatest: '2024-01-02 03:04:06' },
    ]);
  });
});
