import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlainLines } from '../../../src/markets/polymarket/plain-lines.ts';
import { plainTrades, plainTypes, tokensByNumber } from '../../../src/markets/polymarket/plain-trades.ts';
import { exchangeContracts, polyDataTradeColumns, polyDataTrades } from '../../../src/markets/polymarket/poly-data.ts';
import { type Duck, openDuck, quote } from '../../../src/tables/duck.ts';
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
const plainLines = new PlainLines();

/** Where the line at 2 ends as the kernel sees it and as the oracle does, -1 if it is not plain. */
function endsOf(text: string): { kernel: number; oracle: number } {
  const bytes = Buffer.from(`x\n${text}\nmore\n`);
  plainLines.load(bytes);
  const end = plainLines.run(2, 3);
  expect(plainLines.lines).toBe(end === 2 ? 0 : 1);
  return { kernel: end === 2 ? -1 : end, oracle: plainLineEnd(bytes, 2) };
}

const isPlain = (fields: readonly string[]): boolean => {
  const text = fields.join(',');
  const { kernel, oracle } = endsOf(text);
  expect(kernel).toBe(oracle);
  if (kernel >= 0) expect(kernel).toBe(2 + text.length + 1);
  return kernel >= 0;
};

describe('plain lines', () => {
  it.each([
    [{}],
    [{ 0: '2024-01-02T03:04:05' }],
    [{ 0: '2024-13-02T03:04:05.1' }],
    [{ 3: address, 4: 'token2', 5: 'SELL', 6: 'SELL' }],
    [{ 7: '9.5e-05' }],
    [{ 7: '1', 8: '0', 9: '007.123456' }],
  ])('have every field as poly_data writes it: %j', (fields) => {
    expect(isPlain(line(fields))).toBe(true);
  });

  it.each([
    [{ 0: '2024-01-02T03:04:05Z' }],
    [{ 0: '2024-01-02T03:04:05.1234567' }],
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
    expect(isPlain(line(fields))).toBe(false);
  });
});

describe('runs of plain lines', () => {
  const good = line().join(',');

  it('end at the limit or before the first other line, and go on from there', () => {
    const [other, text] = ['not plain', good];
    const bytes = Buffer.from(`${[text, text, text, other, text].join('\n')}\n`);
    const step = text.length + 1;
    plainLines.load(bytes);
    for (const [from, limit, end, lines] of [
      [0, 1, step, 1],
      [0, step, step, 1],
      [0, step + 1, 2 * step, 2],
      [0, bytes.length, 3 * step, 3],
      [3 * step, bytes.length, 3 * step, 0],
      [3 * step + other.length + 1, bytes.length, bytes.length, 1],
      [step, step, step, 0],
    ] as const) {
      expect(plainLines.run(from, limit)).toBe(end);
      expect(plainLines.lines).toBe(lines);
    }
  });

  it('take blocks of growing size, and nothing from an earlier one', () => {
    const lines = new PlainLines();
    for (const count of [3, 1, 5000, 2]) {
      const bytes = Buffer.from(`${good}\n`.repeat(count));
      lines.load(bytes);
      expect(lines.run(0, bytes.length)).toBe(bytes.length);
      expect(lines.lines).toBe(count);
    }
    lines.load(Buffer.from(`${good.slice(0, -1)}\n`));
    expect(lines.run(0, 10)).toBe(0);
  });

  it('are what the oracle takes character by character, whatever is changed in a line', () => {
    const characters = fc.constantFrom(...'0123456789abcdefgABFZeE+-.:,TBUYSELtoken1 "x\r\0\u00ff/`@[{');
    const change = fc.record({
      kind: fc.constantFrom('replace', 'insert', 'remove', 'cut'),
      at: fc.nat(good.length - 1),
      with: characters,
    });
    let [plain, other] = [0, 0];
    fc.assert(
      fc.property(
        fc.constantFrom(good, good.replace('BUY,SELL', 'SELL,BUY').replace('0.28', '2.8e-1')),
        fc.array(change, { maxLength: 2 }),
        (start, changes) => {
          let text = start;
          for (const { kind, at, with: put } of changes) {
            if (kind === 'cut') text = text.slice(0, at);
            else
              text = text.slice(0, at) + (kind === 'remove' ? '' : put) + text.slice(kind === 'insert' ? at : at + 1);
          }
          const { kernel, oracle } = endsOf(text);
          expect(kernel).toBe(oracle);
          if (kernel < 0) other++;
          else plain++;
        },
      ),
      { numRuns: 4000 },
    );
    expect(Math.min(plain, other)).toBeGreaterThan(500);
  });
});

describe('the quick way', () => {
  let duck: Duck;
  let file: string;
  beforeAll(async () => {
    const scratch = await temporaryFolder();
    file = path.join(scratch, 'lines.csv');
    duck = await openDuck({ threads: 1, memoryMb: 300, scratch });
    await duck.run(`CREATE TABLE market AS FROM (VALUES ('253954', 'e', '11', '12', 'Yes', 'No'),
        ('7', 'e', '21', '22', 'Up', 'Down'), ('007', 'f', '31', '32', 'A', 'B'), ('abc', 'g', '41', '42', 'C', 'D'))
      AS t(market, event, token0, token1, outcome0, outcome1);
      CREATE TABLE token AS FROM ${tokensByNumber('market')}`);
  });
  afterAll(() => duck.close());

  const field = {
    0: fc.constantFrom(
      '2024-01-02T03:04:05.5',
      '2024-02-30T00:00:00',
      '2019-12-31T23:59:59',
      '2024-01-02T24:00:00',
      '2024-01-02T03:04:60',
    ),
    1: fc.constantFrom('7', '007', '07', '8', '99999999999999999999'),
    2: fc.constantFrom(address.replace('1', '2'), ...exchangeContracts),
    3: fc.constantFrom(address, ...exchangeContracts),
    4: fc.constantFrom('token1', 'token2'),
    5: fc.constantFrom('BUY', 'SELL'),
    6: fc.constantFrom('BUY', 'SELL'),
    7: fc.constantFrom('0.280001', '0.29', '28e-2', '1.01', '0', '1e99'),
    8: fc.constantFrom('2.786000', '0', '2.', '0.000001', '123456789012', '1234567890123'),
    9: fc.constantFrom('9.950000', '0', '0.000', '0.000002', '999999999999999999999'),
  };
  const fills = fc.array(
    // Few fields at a time: a line with many changes is refused for most of them, and tells little.
    fc
      .array(fc.constantFrom(...([0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const)), { maxLength: 3 })
      .chain((places) =>
        fc.record(Object.fromEntries(places.map((place) => [place, field[place] as fc.Arbitrary<string>]))).map(line),
      ),
    { minLength: 1, maxLength: 40 },
  );

  it('gives the same fills as all single checks, and rejects no line that they pass', async () => {
    const columns =
      'time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side, usd, shares, "transaction"';
    /** The lines of the file, their columns in the given types or else as text. */
    const linesIn = (types: Readonly<Record<string, string>>): string =>
      `(SELECT row_number() OVER () - 1 AS "row", * FROM read_csv(${quote(file)}, header = false, auto_detect = false,
         columns = {${polyDataTradeColumns.map((name) => `'${name}': '${types[name] ?? 'VARCHAR'}'`).join(', ')}},
         store_rejects = true))`;
    const fillsOf = async (query: string): Promise<{ row: string; fill: string }[]> =>
      duck.rows(`SELECT "row"::VARCHAR AS "row", (${columns})::VARCHAR AS fill FROM (${query}) q ORDER BY q."row"`);
    let [kept, lines, unread] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fills, async (rows) => {
        expect(rows.every(isPlain)).toBe(true);
        await writeFile(file, rows.map((fields) => `${fields.join(',')}\n`).join(''));
        await duck.run('DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans');
        const quick = await fillsOf(plainTrades(linesIn(plainTypes), 'token'));
        const rejected = await duck.rows('SELECT DISTINCT line FROM reject_errors');
        const checked = await fillsOf(`SELECT * FROM (${polyDataTrades(linesIn({}), 'market')}) WHERE reason IS NULL`);
        // Rejected lines are not counted, so that rows after them have other numbers.
        if (rejected.length === 0) expect(quick).toEqual(checked);
        else expect(quick.map(({ fill }) => fill)).toEqual(checked.map(({ fill }) => fill));
        kept += quick.length;
        lines += rows.length;
        unread += rejected.length;
      }),
      { numRuns: 60 },
    );
    expect(kept).toBeGreaterThan(lines / 10);
    expect(kept).toBeLessThan(lines - unread);
    expect(unread).toBeGreaterThan(0);
  });
});
