import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curveFee, makerRebate, millionths, scheduledFee, winningFee } from '../../../src/markets/settlement/fees.ts';
import { shared, vectors, whyNoShared } from '../../support/shared.ts';

const micro = (value: number): number => Math.round(value * 1e6);

/** Every vector is either computed here or named with the reason why it is not of this matter. */
const elsewhere = new Map([
  ['fifo_then_resolution', 'positions: position.test.ts'],
  ['zipline_volume_share_buy', 'slippage of an order in a bar: nothing is executed in a settlement'],
]);

describe.skipIf(!shared)(`vectors of fees (${whyNoShared})`, () => {
  const all = shared === undefined ? [] : vectors('fees_pnl');

  it.each(all.filter(({ id }) => id.startsWith('poly_')))('$id', ({ input, expected, tolerance }) => {
    const { shares, price, rate, side, rebate_rate: rebate = 0 } = input as Record<string, number> & { side: string };
    const usd = micro((shares as number) * (price as number));
    const fee =
      (side as unknown as string) === 'taker'
        ? curveFee(usd, micro(shares as number), millionths(rate as number))
        : makerRebate(usd, micro(shares as number), millionths(rate as number), millionths(rebate));
    expect(Math.abs(fee / 1e6 - (expected as number))).toBeLessThanOrEqual(tolerance);
  });

  it('two_percent_is_ambiguous', () => {
    const { input, expected } = all.find(({ id }) => id === 'two_percent_is_ambiguous') as (typeof all)[number];
    const { shares, price, rate } = input as { shares: number; price: number; rate: number };
    const fee = (base: 'profit' | 'payout' | 'stake'): number =>
      winningFee(2 * micro(shares), micro(shares * price), millionths(rate), base) / 1e6;
    const pnl = (base: 'profit' | 'payout' | 'stake'): number => shares * (1 - price) - fee(base);
    expect({
      fee_on_profit: fee('profit'),
      fee_on_payout: fee('payout'),
      fee_on_stake: fee('stake'),
      pnl_profit_basis: pnl('profit'),
      pnl_payout_basis: pnl('payout'),
      pnl_stake_basis: pnl('stake'),
      poly_curve_rate_0_02: curveFee(micro(shares * price), micro(shares), millionths(rate)) / 1e6,
    }).toEqual(expected);
  });

  it('win_and_loss_2pct_profit', () => {
    const { input, expected } = all.find(({ id }) => id === 'win_and_loss_2pct_profit') as (typeof all)[number];
    const { trades, rate } = input as {
      trades: { shares: number; price: number; outcome: number }[];
      rate: number;
    };
    const pnl = trades.map(({ shares, price, outcome }) => {
      const cost = micro(shares * price);
      const payout = 2 * outcome * micro(shares);
      return (payout / 2 - cost - winningFee(payout, cost, millionths(rate), 'profit')) / 1e6;
    });
    const [won, lost] = pnl as [number, number];
    const wanted = expected as { pnl: number[]; roi: number[]; breakeven_win_rate: number };
    expect(pnl).toEqual(wanted.pnl);
    expect(pnl.map((value, i) => value / ((trades[i]?.shares ?? 0) * (trades[i]?.price ?? 0)))).toEqual(wanted.roi);
    expect(-lost / (won - lost)).toBeCloseTo(wanted.breakeven_win_rate, 12);
  });

  it('tells the published numbers from what the usual mistakes give', () => {
    // Per trade instead of per share, without (1 - p), makers charged as takers.
    const published = 1.25;
    for (const wrong of [0.05 * 0.5 * 0.5, 100 * 0.05 * 0.5, -0.25]) expect(wrong).not.toBeCloseTo(published, 6);
    expect(curveFee(micro(50), micro(100), millionths(0.05)) / 1e6).toBe(published);
    expect(makerRebate(micro(50), micro(100), millionths(0.05), millionths(0.2)) / 1e6).toBe(-0.25);
    // "2 %" of the wrong thing, or of a loser.
    const [payout, cost] = [2 * micro(100), micro(60)];
    const fees = (['profit', 'payout', 'stake'] as const).map((base) => winningFee(payout, cost, 20_000, base) / 1e6);
    expect(new Set(fees).size).toBe(3);
    expect(fees[0]).toBe(0.8);
    expect(winningFee(0, cost, 20_000, 'profit')).toBe(0);
  });

  it('leaves no vector out without a reason', () => {
    const here = (id: string): boolean => id.startsWith('poly_') || id.startsWith('two_') || id.startsWith('win_');
    expect(all.filter(({ id }) => !here(id) && !elsewhere.has(id))).toEqual([]);
  });
});

describe('fees', () => {
  it('the curve is symmetric in the two outcomes, largest at a half, and rounded to 0.00001 USD', () => {
    const fill = fc.tuple(fc.integer({ min: 1, max: 1e12 }), fc.integer({ min: 0, max: 1_000_000 }));
    fc.assert(
      fc.property(fill, ([shares, price]) => {
        const usd = Math.round((shares / 1e6) * price);
        fc.pre(usd <= shares);
        const fee = curveFee(usd, shares, 70_000);
        expect(fee % 10).toBe(0);
        expect(fee).toBe(curveFee(shares - usd, shares, 70_000));
        expect(fee).toBeLessThanOrEqual(shares * 0.0175 + 5);
        expect(Math.abs(fee - (0.07 * usd * (shares - usd)) / shares)).toBeLessThanOrEqual(5.001);
      }),
    );
  });

  it('is exact for amounts of any size: rounded from the product of whole numbers', () => {
    const fill = fc.tuple(
      fc.integer({ min: 1, max: 2 ** 49 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.integer({ min: 0, max: 1e6 }),
    );
    fc.assert(
      fc.property(fill, ([shares, share, rate]) => {
        const usd = Number((BigInt(shares) * BigInt(share)) / 1_000_000n);
        const [product, unit] = [BigInt(rate) * BigInt(usd) * BigInt(shares - usd), BigInt(shares) * 10_000_000n];
        expect(curveFee(usd, shares, rate)).toBe(10 * Number((2n * product + unit) / (2n * unit)));
      }),
      { numRuns: 1000 },
    );
    // Halves are rounded away from zero though a double quotient may lie on either side of them.
    expect(curveFee(500_000, 1_000_000, 20)).toBe(10);
    expect(curveFee(500_000, 1_000_000, 60)).toBe(20);
  });

  it('follows a schedule: other powers, makers who pay too, rebates', () => {
    const terms = { rate: 250_000, exponent: 2, takerOnly: true, rebate: 0 };
    const fee = (maker: boolean, more: object = {}): number =>
      scheduledFee(micro(20), micro(100), maker, { ...terms, ...more }) / 1e6;
    expect(fee(false)).toBe(0.64);
    expect([fee(true), fee(true, { takerOnly: false }), fee(true, { rebate: 250_000 })]).toEqual([0, 0.64, -0.16]);
    expect(fee(true, { takerOnly: false, rebate: 250_000 })).toBe(0.48);
    // 100 x 0.25 x 0.4, the square root of 0.16.
    expect(fee(false, { exponent: 0.5 })).toBe(10);
    expect(fee(false, { exponent: 1 })).toBe(curveFee(micro(20), micro(100), 250_000) / 1e6);
    for (const usd of [0, 100, 101]) expect(scheduledFee(micro(usd), micro(100), false, terms)).toBe(0);
  });

  it('costs nothing without tokens, at a price of 1 and for a loser', () => {
    expect([curveFee(5, 0, 70_000), curveFee(7, 7, 70_000), winningFee(0, 5, 20_000, 'stake')]).toEqual([0, 0, 0]);
    expect(winningFee(100, 60, 20_000, 'payout')).toBe(0);
  });
});
