import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noFees, type PlainFill, type PlainFlow, type PlainMarket, type PlainRow, passOver } from './pass-fixture.ts';

const total = (rows: readonly PlainRow[], column: string): number =>
  rows.reduce((sum, row) => sum + ((row[column] as number | null) ?? 0), 0);

const END = 1000;
const market: fc.Arbitrary<PlainMarket> = fc.option(
  fc.record({ half0: fc.constantFrom(0, 1, 2), knowableAt: fc.integer({ min: 1, max: END }) }),
  { nil: undefined },
) as fc.Arbitrary<PlainMarket>;
const markets = fc.array(market, { minLength: 3, maxLength: 3 });
const amount = fc.integer({ min: 1, max: 1e10 });

/** A match of two wallets: one token changes hands, or two are minted or merged. */
const match = fc.record({
  wallets: fc.constantFrom([0, 1], [1, 2], [2, 0], [0, 0]),
  market: fc.integer({ min: 0, max: 2 }),
  outcome: fc.constantFrom(0 as const, 1 as const),
  time: fc.integer({ min: 0, max: END }),
  shares: amount,
  price: fc.integer({ min: 0, max: 1_000_000 }),
  kind: fc.constantFrom('trade', 'mint', 'merge'),
});
type Match = typeof match extends fc.Arbitrary<infer T> ? T : never;

function fillsOf({ wallets, market: m, outcome, time, shares, price, kind }: Match): PlainFill[] {
  const usd = Math.round((shares * price) / 1e6);
  const [first, second] = wallets as [number, number];
  const base = { market: m, time, shares };
  const other = outcome === 0 ? 1 : 0;
  if (kind === 'trade')
    return [
      { ...base, wallet: first, outcome, buy: true, usd },
      { ...base, wallet: second, outcome, buy: false, usd },
    ];
  const buy = kind === 'mint';
  return [
    { ...base, wallet: first, outcome, buy, usd },
    { ...base, wallet: second, outcome: other, buy, usd: shares - usd },
  ];
}

const trading = fc
  .array(match, { maxLength: 25 })
  .map((matches) => matches.toSorted((a, b) => a.time - b.time).flatMap(fillsOf));

/** Splits and merges of pairs, which need not be covered. */
const pairs = fc.array(
  fc.record({
    wallet: fc.integer({ min: 0, max: 2 }),
    market: fc.integer({ min: 0, max: 2 }),
    time: fc.integer({ min: 0, max: END }),
    shares: amount,
    split: fc.boolean(),
    price0: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
  }),
  { maxLength: 6 },
);
const flowsOf = (list: typeof pairs extends fc.Arbitrary<infer T> ? T : never): PlainFlow[] =>
  list.map(({ wallet, market: m, time, shares, split, price0 }) => ({
    wallet,
    market: m,
    time,
    kind: split ? 'split' : 'merge',
    cash: split ? -shares : shares,
    shares0: split ? shares : -shares,
    shares1: split ? shares : -shares,
    ...(price0 === undefined ? {} : { price0 }),
  }));

const mode = fc.constantFrom('none' as const, 'profit' as const, 'curve' as const);

/** Redemptions of all that is held, or of a part. */
const redemptions = fc.array(
  fc.record({
    wallet: fc.integer({ min: 0, max: 2 }),
    market: fc.integer({ min: 0, max: 2 }),
    time: fc.integer({ min: 0, max: END }),
    cash: amount,
    shares0: fc.option(fc.integer({ min: -1e10, max: 0 })),
    shares1: fc.option(fc.integer({ min: -1e10, max: 0 })),
  }),
  { maxLength: 4 },
);

/** Splits, merges and redemptions. */
const moves = fc
  .tuple(pairs, redemptions)
  .map(([some, others]): PlainFlow[] => [
    ...flowsOf(some),
    ...others.map((flow) => ({ ...flow, kind: 'redeem' as const })),
  ]);

describe('invariants of a settlement', () => {
  it('conserves cash, and gives every settled market back what was paid in, to the last millionth', () => {
    fc.assert(
      fc.property(markets, trading, pairs, (list, fills, some) => {
        const flows = flowsOf(some);
        const { ledger, totals } = passOver(list, fills, flows);
        const paid = fills.reduce((sum, { buy, usd }) => sum + (buy ? -usd : usd), 0);
        expect(total(ledger, 'cashUsd')).toBe(paid + flows.reduce((sum, { cash }) => sum + cash, 0));
        expect(totals.count('torn')).toBe(0);
        list.forEach((known, m) => {
          const rows = ledger.filter((row) => row['market'] === m);
          // Tokens are minted and merged in pairs only: both outcomes are held equally, and each pair was a dollar.
          const net = [0, 1].map((outcome) =>
            total(
              rows.filter((row) => row['outcomeIndex'] === outcome),
              'netShares',
            ),
          );
          expect(net[0]).toBe(net[1]);
          expect(total(rows, 'cashUsd') + (net[0] as number)).toBe(0);
          if (known !== undefined) {
            expect(2 * total(rows, 'cashUsd') + total(rows, 'settlementUsd')).toBe(0);
            expect(total(rows, 'settledPnlUsd')).toBe(0);
          }
        });
        const { all, balanced } = totals.conserved();
        expect(balanced).toBe(all);
      }),
      { numRuns: 200 },
    );
  });

  it('conserves cash and tokens in every transaction, one by one', () => {
    const byTime = fc
      .array(match, { minLength: 1, maxLength: 15 })
      .map((all) => all.toSorted((a, b) => a.time - b.time));
    fc.assert(
      fc.property(byTime, (matches) => {
        const open = [undefined, undefined, undefined];
        const sums = (count: number): { cash: number; held: number[] } => {
          const { ledger } = passOver(open, matches.slice(0, count).flatMap(fillsOf), []);
          const held = [0, 1].map((outcome) =>
            total(
              ledger.filter((row) => row['outcomeIndex'] === outcome),
              'netShares',
            ),
          );
          return { cash: total(ledger, 'cashUsd'), held };
        };
        let before = sums(0);
        for (const [i, { kind, shares }] of matches.entries()) {
          const after = sums(i + 1);
          // A trade moves cash and tokens between two wallets. A pair of tokens is minted for a dollar, and merged for one.
          const pairsMade = kind === 'trade' ? 0 : kind === 'mint' ? shares : -shares;
          expect(after.cash - before.cash).toBe(0 - pairsMade);
          expect(after.held.map((held, outcome) => held - (before.held[outcome] as number))).toEqual([
            pairsMade,
            pairsMade,
          ]);
          before = after;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('settles at the payout, whatever the way there: profit is cash and the worth of what is left', () => {
    fc.assert(
      fc.property(markets, trading, (list, fills) => {
        for (const row of passOver(list, fills).ledger) {
          const known = list[row['market'] as number];
          const held = row['netShares'] as number;
          const cash = row['cashUsd'] as number;
          expect(row['realisedPnlUsd']).toBe(cash + (row['costUsd'] as number));
          if (known === undefined) {
            expect(row['settledPnlUsd']).toBeNull();
            continue;
          }
          const half = row['outcomeIndex'] === 0 ? known.half0 : 2 - known.half0;
          expect(row['settlementUsd']).toBe(held * half + 0);
          expect(row['settledPnlUsd']).toBe(2 * cash + held * half);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a split that is merged again earns nothing, whatever the price that divided its cost', () => {
    const split = fc.tuple(
      amount,
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }),
    );
    fc.assert(
      fc.property(split, ([shares, price0, cuts]) => {
        const flow = (time: number, kind: 'split' | 'merge', tokens: number): PlainFlow => ({
          wallet: 0,
          market: 0,
          time,
          kind,
          cash: kind === 'split' ? -tokens : tokens,
          shares0: kind === 'split' ? tokens : -tokens,
          shares1: kind === 'split' ? tokens : -tokens,
          price0,
        });
        let left = shares;
        const merges = cuts.map((cut, i) => {
          const tokens = Math.floor((left * cut) / 10);
          left -= tokens;
          return flow(2 + i, 'merge', tokens);
        });
        const { ledger, history } = passOver(
          [undefined],
          [],
          [flow(1, 'split', shares), ...merges, flow(9, 'merge', left)],
        );
        expect(total(ledger, 'realisedPnlUsd')).toBe(0);
        expect(total(ledger, 'cashUsd')).toBe(0);
        expect(total(ledger, 'netShares')).toBe(0);
        expect(total(ledger, 'costUsd')).toBe(0);
        expect(total(history, 'pnlUsd')).toBe(0);
      }),
    );
  });

  it('wallets do not depend on each other: one alone has the same rows', () => {
    fc.assert(
      fc.property(markets, trading, pairs, (list, fills, some) => {
        const flows = flowsOf(some);
        const together = passOver(list, fills, flows);
        for (const wallet of [0, 1, 2]) {
          const own = <T extends { wallet: number }>(rows: readonly T[]): T[] =>
            rows.filter((row) => row.wallet === wallet);
          const alone = passOver(list, own(fills), own(flows));
          expect(alone.ledger).toEqual(together.ledger.filter((row) => row['wallet'] === wallet));
          expect(alone.history).toEqual(together.history.filter((row) => row['wallet'] === wallet));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('history of realised profit', () => {
  it('adds up to the ledger: settled profit where the outcome is known, realised profit less fees elsewhere', () => {
    fc.assert(
      fc.property(markets, trading, moves, mode, (list, fills, flows, fees) => {
        const rules = { ...noFees, mode: fees, rates: [70_000], rebate: 200_000 };
        const { ledger, history } = passOver(list, fills, flows, { fees: rules });
        for (const row of ledger) {
          const mine = history.filter((one) => one['wallet'] === row['wallet'] && one['token'] === row['token']);
          const realised = 2 * ((row['realisedPnlUsd'] as number) - (row['feeUsd'] as number));
          expect(total(mine, 'pnlUsd')).toBe(row['settledPnlUsd'] ?? realised);
          expect(total(mine, 'feeUsd')).toBe(row['feeUsd']);
          expect(mine.map(({ step }) => step).toSorted((a, b) => Number(a) - Number(b))).toEqual(mine.map((_, i) => i));
        }
        for (const row of history) {
          const { proceedsUsd, costUsd, feeUsd } = row as Record<string, number>;
          expect(row['pnlUsd']).toBe((proceedsUsd as number) - (costUsd as number) - 2 * (feeUsd as number));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('says the same of the past whether the future is there or not', () => {
    fc.assert(
      fc.property(markets, trading, moves, mode, fc.integer({ min: 0, max: END }), (list, fills, flows, fees, cut) => {
        const options = { fees: { ...noFees, mode: fees, rates: [70_000], rebate: 200_000 } };
        const whole = passOver(list, fills, flows, options);
        const early = passOver(
          list.map((known) => (known !== undefined && known.knowableAt < cut ? known : undefined)),
          fills.filter(({ time }) => time < cut),
          flows.filter(({ time }) => time < cut),
          options,
        );
        const past = (rows: readonly PlainRow[]): PlainRow[] =>
          rows.filter((row) => (row['knowableAt'] as number) < cut);
        expect(past(whole.history)).toEqual(early.history);
        for (const row of past(whole.ledger)) expect(early.ledger).toContainEqual(row);
      }),
      { numRuns: 100 },
    );
  });
});

describe('conversions', () => {
  const NO = (m: number, shares: number): Omit<PlainFlow, 'cash'> => ({
    wallet: 0,
    market: m,
    time: 5,
    kind: 'conversion',
    shares0: 0,
    shares1: -shares,
    price0: 300_000,
    group: 1,
  });
  const YES = (m: number, shares: number, price0: number): PlainFlow => ({
    wallet: 0,
    market: m,
    time: 5,
    kind: 'conversion',
    cash: 0,
    shares0: shares,
    shares1: 0,
    price0,
    group: 1,
  });
  const bought = (m: number, usd: number): PlainFill => ({
    wallet: 0,
    market: m,
    outcome: 1,
    time: 1,
    buy: true,
    usd,
    shares: 100,
  });
  const open = [undefined, undefined, undefined, undefined];

  it('turn NOs of two markets into YES of the others and a dollar a pair, at cost', () => {
    // 100 NO in two markets of four, bought for 60 and 80: 100 in cash, and 100 YES in each of the two others.
    const { ledger } = passOver(
      open,
      [bought(0, 60), bought(1, 80)],
      [{ ...NO(0, 100), cash: 100 }, { ...NO(1, 100), cash: 0 }, YES(2, 100, 100_000), YES(3, 100, 300_000)],
    );
    const of = (m: number) =>
      ledger.find((row) => row['market'] === m && row['netShares'] !== 0) ?? ledger.find((row) => row['market'] === m);
    // 140 less 100 in cash is left, as 1 to 3 by last prices; nothing is earned yet.
    expect([of(2), of(3)]).toMatchObject([{ costUsd: 10 }, { costUsd: 30 }]);
    expect(total(ledger, 'realisedPnlUsd')).toBe(0);
    expect(total(ledger, 'cashUsd')).toBe(-40);
    expect(ledger.filter((row) => row['outcomeIndex'] === 1).map((row) => row['realisedPnlUsd'])).toEqual([0, 0]);
  });

  it('earn what the cash exceeds the cost, and all of it if nothing is received', () => {
    const cheap = passOver(
      open,
      [bought(0, 20), bought(1, 30)],
      [{ ...NO(0, 100), cash: 100 }, { ...NO(1, 100), cash: 0 }, YES(2, 100, 100_000)],
    );
    expect(total(cheap.ledger, 'realisedPnlUsd')).toBe(50);
    expect(total(cheap.history, 'pnlUsd')).toBe(100);
    expect(cheap.ledger.find((row) => row['market'] === 2 && row['outcomeIndex'] === 0)?.['costUsd']).toBe(0);
    const all = passOver(
      open,
      [bought(0, 60), bought(1, 80)],
      [
        { ...NO(0, 100), cash: 100 },
        { ...NO(1, 100), cash: 0 },
      ],
    );
    expect(total(all.ledger, 'realisedPnlUsd')).toBe(-40);
  });

  it('conserve cost and cash exactly, covered or not', () => {
    const leg = fc.record({ shares: fc.integer({ min: 1, max: 1e9 }), price: fc.integer({ min: 0, max: 1_000_000 }) });
    const owned = fc.array(
      fc.record({ usd: fc.integer({ min: 0, max: 1e9 }), shares: fc.integer({ min: 1, max: 1e9 }) }),
      {
        minLength: 2,
        maxLength: 2,
      },
    );
    const legs = fc.tuple(fc.array(leg, { minLength: 1, maxLength: 2 }), fc.array(leg, { maxLength: 2 }));
    fc.assert(
      fc.property(owned, legs, fc.integer({ min: -1e9, max: 1e9 }), (holdings, [given, received], cash) => {
        const fills = holdings.map(({ usd, shares }, m) => ({ ...bought(m, usd), shares }));
        const flows = [
          ...given.map(({ shares, price }, m) => ({ ...NO(m, shares), price0: price, cash: m === 0 ? cash : 0 })),
          ...received.map(({ shares, price }, m) => YES(2 + m, shares, price)),
        ];
        const { ledger, history, totals } = passOver(open, fills, flows);
        expect(total(ledger, 'cashUsd')).toBe(cash - holdings.reduce((sum, { usd }) => sum + usd, 0));
        expect(total(history, 'pnlUsd')).toBe(2 * total(ledger, 'realisedPnlUsd'));
        expect(totals.count('torn')).toBe(0);
        const covered = given.every(({ shares }, m) => shares <= (holdings[m]?.shares as number));
        const [paid, kept] = [total(ledger, 'cashUsd'), total(ledger, 'costUsd')];
        // What is not realised is the cost of what is held: nothing is lost, and nothing is earned but beyond the cost.
        if (covered && received.length > 0) expect(paid + kept).toBeGreaterThanOrEqual(0);
        if (covered && received.length > 0 && kept > 0 && cash <= 0) expect(paid + kept).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
