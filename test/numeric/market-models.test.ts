import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ask } from '../../src/markets/simulated/quotes.ts';
import { herfindahl, kyle, lmsrCost, lmsrPrices } from '../../src/numeric/market-models.ts';
import { shared, vectors, whyNoShared } from '../support/shared.ts';

type Numbers = Record<string, number>;

describe.skipIf(!shared)(`vectors of market models (${shared ? 'found' : whyNoShared})`, () => {
  const models = shared ? vectors('market_models') : [];
  const close = (value: number, wanted: unknown, tolerance: number): void =>
    expect(Math.abs(value - (wanted as number))).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(wanted as number)),
    );
  const only = (start: string) => models.filter(({ id }) => id.startsWith(start));

  it.each(only('lmsr_'))('$id', ({ input, expected, tolerance }) => {
    const b = input['b'] as number;
    if ('buy_yes' in input) {
      const wanted = expected as Numbers;
      const after = [input['buy_yes'] as number, 0];
      close(lmsrCost(after, b) - lmsrCost([0, 0], b), wanted['cost'], tolerance);
      close(lmsrPrices(after, b)[0] as number, wanted['price_after'], tolerance);
      close(lmsrCost([0, 0], b), wanted['max_loss'], tolerance);
      return;
    }
    const wanted = expected as { cost: number; prices: number[] };
    close(lmsrCost(input['q'] as number[], b), wanted.cost, tolerance);
    lmsrPrices(input['q'] as number[], b).forEach((price, i) => {
      close(price, wanted.prices[i], tolerance);
    });
  });

  it.each(only('kyle_'))('$id', ({ input, expected, tolerance }) => {
    const wanted = expected as Numbers;
    const found = kyle(input['prior_var'] as number, input['noise_sd'] as number);
    close(found.impact, wanted['lambda_'], tolerance);
    close(found.aggression, wanted['beta'], tolerance);
    close(found.profit, wanted['informed_profit'], tolerance);
    close(found.posteriorVariance, wanted['posterior_var'], tolerance);
  });

  it.each(only('glosten_'))('$id', ({ input, expected, tolerance }) => {
    const wanted = expected as Numbers;
    const [prior, informed] = [input['prior'] as number, input['informed_share'] as number];
    close(ask(prior, informed), wanted['ask'], tolerance);
    close(ask(prior, -informed), wanted['bid'], tolerance);
    close(ask(prior, informed) - ask(prior, -informed), wanted['spread'], tolerance);
  });

  it('leaves no vector of the topic out', () => {
    expect(only('lmsr_').length + only('kyle_').length + only('glosten_').length).toBe(models.length);
  });

  it.each(shared ? vectors('concentration') : [])('$id', ({ input, expected, tolerance, ...rest }) => {
    const found = herfindahl((input['shares_pct'] ?? input['volumes']) as number[]);
    close(found, expected, tolerance);
    const wrong = (rest as { near_miss_wrong_values?: Numbers }).near_miss_wrong_values ?? {};
    for (const value of Object.values(wrong)) expect(Math.abs(found - value)).toBeGreaterThan(1);
  });
});

describe('market models', () => {
  const sold = fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 2, maxLength: 6 });

  it('LMSR prices are the slopes of its cost, add up to one and do not overflow', () => {
    fc.assert(
      fc.property(sold, fc.double({ min: 5, max: 500, noNaN: true }), (q, b) => {
        const prices = lmsrPrices(q, b);
        expect(prices.reduce((a, c) => a + c, 0)).toBeCloseTo(1, 12);
        const step = 1e-4 * b;
        const up = lmsrCost([(q[0] as number) + step, ...q.slice(1)], b);
        const down = lmsrCost([(q[0] as number) - step, ...q.slice(1)], b);
        expect((up - down) / (2 * step)).toBeCloseTo(prices[0] as number, 4);
        // The maker pays out the largest holding and has taken in the difference of costs: at most b ln n is lost.
        const taken = lmsrCost(q, b) - b * Math.log(q.length);
        expect(Math.max(...q) - taken).toBeLessThanOrEqual(b * Math.log(q.length) + 1e-6);
      }),
      { numRuns: 50 },
    );
    expect(lmsrPrices([200_000, 0], 100)).toEqual([1, 0]);
    expect(lmsrCost([200_000, 0], 100)).toBe(200_000);
  });

  it("Kyle's insider moves the price half the way on average", () => {
    const { impact, aggression } = kyle(0.09, 40);
    expect(impact * aggression).toBeCloseTo(0.5, 12);
  });

  it('concentration lies between that of equals and one, and merging never lowers it', () => {
    const amounts = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(amounts, fc.double({ min: 0.01, max: 100, noNaN: true }), (list, factor) => {
        const found = herfindahl(list);
        expect(found).toBeGreaterThanOrEqual(10_000 / list.length - 1e-6);
        expect(found).toBeLessThanOrEqual(10_000 + 1e-6);
        expect(herfindahl(list.map((v) => v * factor))).toBeCloseTo(found, 5);
        const [a, b, ...rest] = list as [number, number, ...number[]];
        expect(herfindahl([a + b, ...rest])).toBeGreaterThanOrEqual(found - 1e-6);
      }),
    );
    expect(herfindahl([])).toBeNaN();
    expect(herfindahl([0, 0])).toBeNaN();
  });
});
