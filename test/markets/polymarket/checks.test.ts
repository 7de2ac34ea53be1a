import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as check from '../../../src/markets/polymarket/checks.ts';
import { type Duck, openDuck, quote } from '../../../src/tables/duck.ts';
import { temporaryFolder } from '../../support/stage.ts';

let duck: Duck;
beforeAll(async () => {
  duck = await openDuck({ threads: 1, memoryMb: 300, scratch: await temporaryFolder() });
});
afterAll(() => duck.close());

async function evaluate(expression: string, columns: Record<string, string | null>): Promise<unknown> {
  const fields = Object.entries(columns).map(
    ([name, value]) => `${value === null ? 'NULL' : quote(value)}::VARCHAR AS ${name}`,
  );
  const [row] = await duck.rows<{ result: unknown }>(
    `SELECT (${expression})::VARCHAR AS result FROM (SELECT ${fields.join(', ')})`,
  );
  return row?.result;
}

const usd = (size: string, price: string) =>
  evaluate(check.fromMillionths(check.productInMillionths(check.amount('size'), check.exact('price', 20, 19))), {
    size,
    price,
  });

/** The same rounding in whole numbers of JavaScript. */
function expected(size: bigint, price: bigint): string {
  const unit = 10n ** 19n;
  const n = size * price;
  let result = n / unit;
  const rest = n % unit;
  if (rest * 2n > unit || (rest * 2n === unit && result % 2n === 1n)) result += 1n;
  return decimal(result, 6);
}

function decimal(digits: bigint, places: number): string {
  const text = digits.toString().padStart(places + 1, '0');
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}

describe('cash from size and price', () => {
  it.each([
    ['315.0', '0.999', '314.685000'],
    ['1', '0.0000005', '0.000000'],
    ['1', '0.0000015', '0.000002'],
    ['1', '0.0000025', '0.000002'],
    ['3', '0.0000005', '0.000002'],
    ['5', '0.0000005', '0.000002'],
    ['1', '0.0000005000000000001', '0.000001'],
    ['1', '0.0000015000000000001', '0.000002'],
    ['1', '0.0000014999999999999', '0.000001'],
    ['123456789012.345678', '0.9882453825857523333', '122005601690.314059'],
    ['100', '1e-05', '0.001000'],
    ['10', '1', '10.000000'],
  ])('%s x %s = %s, ties to even', async (size, price, cash) => {
    expect(await usd(size, price)).toBe(cash);
  });

  it('equals exact arithmetic', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(1n, 10n ** 18n - 1n), fc.bigInt(0n, 10n ** 19n), async (size, price) => {
        expect(await usd(decimal(size, 6), decimal(price, 19))).toBe(expected(size, price));
      }),
      { numRuns: 100 },
    );
  });
});

describe('fields', () => {
  const holds = async (checks: readonly check.Check[], x: string | null) => evaluate(check.firstReason(checks), { x });

  it('takes amounts only with six decimals', async () => {
    for (const good of ['1', '0.5', '123456.789012', '1.', '1e2', '0.1000000', '0'])
      expect(await holds(check.badAmount('x'), good)).toBeNull();
    expect(await holds(check.badAmount('x'), 'NaN')).toBe('x: not finite');
    expect(await holds(check.badAmount('x'), '-inf')).toBe('x: not finite');
    for (const bad of [null, 'ten', '1,5', '0x10', ' 1', '1_000', '--1', '.', '+5'])
      expect(await holds(check.badAmount('x'), bad)).toBe('x: not a number');
    expect(await holds(check.badAmount('x'), '-1')).toBe('x: negative');
    for (const long of ['0.1234567', '1e-7', '9999999999999', '1.0000000000000000000000000000000001'])
      expect(await holds(check.badAmount('x'), long)).toBe('x: more than six decimals or too large');
  });

  it('takes prices from 0 to 1 with both ends', async () => {
    for (const good of ['0', '1', '0.5', '1.0', '1e-3'])
      expect(await holds([check.priceOutside('x')], good)).toBeNull();
    for (const bad of ['1.0000001', '-0.1', '50']) expect(await holds([check.priceOutside('x')], bad)).not.toBeNull();
  });

  it('keeps token ids of up to 78 digits as text', async () => {
    expect(await holds([check.notToken('x')], '9'.repeat(78))).toBeNull();
    for (const bad of ['9'.repeat(79), '0123', '12a', '1e77', '', null])
      expect(await holds([check.notToken('x')], bad)).not.toBeNull();
  });

  it('reads a market number that a data frame has made a decimal, and no other', async () => {
    const number = (x: string) => evaluate(check.marketNumber('x'), { x });
    expect(await number('253591')).toBe('253591');
    expect(await number('253591.0')).toBe('253591');
    expect(await number('253591.6')).toBeNull();
    expect(await number('2.53591e5')).toBeNull();
    expect(await number('')).toBeNull();
  });

  it('reads times with a zone by their zone, and naive times only where they are wanted', async () => {
    const utc = (x: string) => evaluate(check.utcTime('x'), { x });
    expect(await utc('2024-11-06T15:00:00.123456')).toBe('2024-11-06 15:00:00.123456');
    expect(await utc('2024-11-06 15:00:00+00')).toBe('2024-11-06 15:00:00');
    expect(await utc('2024-11-06T15:00:00Z')).toBe('2024-11-06 15:00:00');
    expect(await utc('2024-11-06T15:00:00+02:00')).toBe('2024-11-06 13:00:00');
    for (const bad of ['2024-02-30 00:00:00', '1730905200', '2024-11-06', '2024-11-06 15:00:00.1234567'])
      expect(await utc(bad)).toBeNull();
    const naive = (x: string) => evaluate(check.naiveTime('x'), { x });
    expect(await naive('2024-11-06 15:00:00')).toBe('2024-11-06 15:00:00');
    expect(await naive('2024-11-06T15:00:00Z')).toBeNull();
    expect(await naive('2024-11-06 15:00:00+00')).toBeNull();
  });
});
