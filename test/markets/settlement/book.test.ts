import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Book, COST, HELD, LEAST, NET_CASH } from '../../../src/markets/settlement/book.ts';
import { divide, firstPart, portion } from '../../../src/markets/settlement/whole.ts';
import { shared, vectors, whyNoShared } from '../../support/shared.ts';

/** Rounds a fraction half away from zero: another way than the code's. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const [n, d] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  const whole = n / d + (2n * (n % d) >= d ? 1n : 0n);
  return negative ? -whole : whole;
}

/** One token of one wallet. */
class Position {
  private readonly book = new Book(1);
  private readonly slot = this.book.slot(0);

  move(shares: number, cash: number): { shares: number; proceeds: number; cost: number } {
    this.book.move(this.slot, 0, shares, cash);
    return this.book.closed;
  }

  trade(side: string, shares: number, price: number): void {
    const sign = side === 'B' ? 1 : -1;
    this.move(sign * shares * 1e6, -sign * Math.round(shares * price * 1e6));
  }

  get held(): number {
    return this.book.of(this.slot, HELD);
  }

  get cost(): number {
    return this.book.of(this.slot, COST);
  }

  get cash(): number {
    return this.book.of(this.slot, NET_CASH);
  }

  get least(): number {
    return this.book.of(this.slot, LEAST);
  }
}

describe('portion', () => {
  it('is the nearest whole number for amounts of any size', () => {
    const amount = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.maxSafeInteger());
    fc.assert(
      fc.property(amount, amount, amount, (value, numerator, denominator) => {
        fc.pre(denominator !== 0);
        const exact = rounded(BigInt(value) * BigInt(numerator), BigInt(denominator));
        fc.pre(exact >= -BigInt(Number.MAX_SAFE_INTEGER) && exact <= BigInt(Number.MAX_SAFE_INTEGER));
        expect(portion(value, numerator, denominator)).toBe(Number(exact));
      }),
      { numRuns: 2000 },
    );
  });

  it('rounds halves away from zero and never gives -0', () => {
    expect([portion(1, 1, 2), portion(-1, 1, 2), portion(5, 1, 2), portion(1, 1, 3)]).toEqual([1, -1, 3, 0]);
    expect(Object.is(portion(-1, 1, 3), 0)).toBe(true);
  });

  it('is exact next to halves, where a double quotient may round to either side', () => {
    const near = fc.tuple(
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.constantFrom(-1, 0, 1),
    );
    fc.assert(
      fc.property(near, ([whole, half, off]) => {
        // (2 whole + 1) half / (2 half) is a half; one more or less in the product is just beside it.
        const [numerator, denominator] = [2 * whole + 1, 2 * half];
        const value = half + off;
        const exact = rounded(BigInt(value) * BigInt(numerator), BigInt(denominator));
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        expect(portion(value, numerator, denominator)).toBe(Number(exact));
      }),
      { numRuns: 1000 },
    );
  });

  it('divides an amount among any weights, losing nothing and no part by more than the rounding', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.integer({ min: -1e13, max: 1e13 }), weights, (amount, list) => {
        const parts: number[] = [];
        divide(amount, list, parts);
        expect(parts.length).toBe(list.length);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(amount);
        const all = list.reduce((sum, weight) => sum + weight, 0);
        parts.forEach((part, i) => {
          const share = all === 0 ? amount / list.length : amount * ((list[i] as number) / all);
          expect(Math.abs(part - share)).toBeLessThanOrEqual(list.length + Math.abs(amount) * 1e-12);
        });
      }),
    );
  });

  it('divides an amount by weights and by halves without any', () => {
    expect(firstPart(100, [1, 30], [1, 70])).toBe(30);
    expect(firstPart(101, [0, 1], [0, 1])).toBe(51);
    expect(firstPart(7, [5, 0], [1, 2])).toBe(0);
  });
});

describe('position', () => {
  it.skipIf(!shared)(`follows the vector of average cost and resolution (${whyNoShared})`, () => {
    const named = vectors('fees_pnl').find(({ id }) => id === 'fifo_then_resolution');
    const vector = named as unknown as { input: { events: [string, number, number][] }; expected: unknown };
    const { events } = vector.input;
    const expected = vector.expected as Record<string, number>;
    const position = new Position();
    for (const [side, shares, price] of events) position.trade(side, shares, price);
    expect((position.cash + position.cost) / 1e6).toBeCloseTo(expected['realised_average_cost'] as number, 9);
    expect(position.held / 1e6).toBe(expected['open_shares']);
    expect((position.cash + position.held) / 1e6).toBeCloseTo(expected['final_pnl'] as number, 9);
    expect(position.cash / 1e6).toBeCloseTo(expected['pnl_if_no'] as number, 9);
  });

  it('takes the average cost away with what is sold', () => {
    const position = new Position();
    position.trade('B', 100, 0.4);
    position.trade('B', 50, 0.55);
    position.trade('S', 120, 0.6);
    // Average 0.45: 120 x 0.15 is earned, 30 x 0.45 is left.
    expect([position.held, position.cost, position.cash + position.cost]).toEqual([30e6, 13.5e6, 18e6]);
    position.trade('S', 30, 0.1);
    expect([position.held, position.cost, position.cash]).toEqual([0, 0, 7.5e6]);
  });

  it('opens a holding below nothing for what is sold without having come, and closes it by a purchase', () => {
    const position = new Position();
    position.trade('B', 10, 0.5);
    position.trade('S', 30, 0.6);
    expect([position.held, position.cost, position.cash + position.cost]).toEqual([-20e6, -12e6, 1e6]);
    expect(position.least).toBe(-20e6);
    position.trade('B', 20, 0.5);
    expect([position.held, position.cost, position.cash]).toEqual([0, 0, 3e6]);
  });

  it('splits cash into realised profit and cost of what is held, whatever happens', () => {
    const step = fc.record({
      shares: fc.integer({ min: -1e12, max: 1e12 }),
      price: fc.integer({ min: 0, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const position = new Position();
        let held = 0;
        let cash = 0;
        let realised = 0;
        for (const { shares, price } of steps) {
          const paid = -portion(shares, price, 1_000_000);
          const before = { held: position.held, cost: position.cost };
          const left = position.move(shares, paid).cost;
          held += shares;
          cash += paid;
          const grew = before.held === 0 || before.held > 0 === shares > 0;
          if (grew) expect(position.cost).toBe(before.cost - paid);
          else if (Math.abs(shares) <= Math.abs(before.held)) {
            const exact = rounded(BigInt(before.cost) * BigInt(Math.abs(shares)), BigInt(Math.abs(before.held)));
            expect(left).toBe(Number(exact));
            realised += paid - left;
          }
          expect(position.held).toBe(held);
          expect(position.cash).toBe(cash);
          // The cost has the sign of the holding: average prices stay between 0 and 1.
          expect(position.cost * Math.sign(held)).toBeGreaterThanOrEqual(0);
          if (held === 0) expect(position.cost).toBe(0);
        }
        if (steps.every(({ shares }) => shares >= 0)) expect(realised).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
