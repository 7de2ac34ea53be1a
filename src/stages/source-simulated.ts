import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';
import { expectedFills, shardCount } from '../markets/simulated/size.ts';

const share = (fallback: number, what: string) => z.number().min(0).default(fallback).describe(`Weight of ${what}`);

const archetypes = z
  .strictObject({
    casual: share(79, 'casual wallets: few orders, small, no knowledge'),
    favouriteBuyer: share(8, 'wallets that buy at 0.70 to 0.97: many wins, no edge'),
    longshotBuyer: share(0, 'wallets that buy at 0.02 to 0.30: few wins, no edge'),
    marketMaker: share(2, 'market makers: quote both sides of few markets, nearly always maker'),
    bot: share(3, 'bots: regular times and sizes, no edge'),
    arbitrageBot: share(0, 'bots that bid for both outcomes at once and earn the spread of a pair'),
    skilled: share(5, 'wallets whose purchases pay more than they cost, by the planted edge'),
    freshInsider: share(1, 'new wallets that buy the winner of one market, large, hours before its close'),
    whale: share(2, 'wallets with large orders and no knowledge'),
    washTrader: share(0, 'wallets in rings that trade with each other; see wash'),
    sybil: share(0, 'wallets of one owner that repeat the orders of the first of them; see familySize'),
    copier: share(0, 'wallets that repeat half of the purchases of a skilled wallet or a whale, later'),
  })
  .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'at least one weight must be above 0');

export const params = z.strictObject({
  wallets: z.int().min(10).max(1_000_000).default(2000).describe('Wallets in the world'),
  markets: z.int().min(1).max(200_000).default(400).describe('Markets in the world'),
  days: z.number().min(2).max(3000).default(180).describe('Length of the world, days'),
  startDate: z.iso.date().default('2025-01-01').describe('First day, YYYY-MM-DD, UTC'),
  archetypes: archetypes.prefault({}).describe('Relative weights of the kinds of wallet; they need not add up to 1'),
  skilledEdge: z
    .strictObject({
      mean: z.number().min(-0.3).max(0.3).default(0.03).describe('Mean over skilled wallets, USD per token'),
      sd: z.number().min(0).max(0.2).default(0.02).describe('Standard deviation over skilled wallets, USD per token'),
    })
    .prefault({})
    .describe('Planted edge: mean of payout minus price paid per purchase; normal over skilled wallets'),
  skillHalfLifeDays: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Days in which a skilled wallet loses half of its edge, from its arrival on; null: it keeps it'),
  tradesPerWallet: z
    .number()
    .positive()
    .max(10_000)
    .default(15)
    .describe('Median orders of a casual wallet; the other kinds scale with it, an order is one or more fills'),
  halfSpread: z
    .number()
    .min(0)
    .max(0.1)
    .default(0.01)
    .describe(
      'Half spread at a price of 0.5, USD per token: quotes of Glosten and Milgrom for a share of informed orders of twice that, plus one tick of 0.001; 0: no spread at all. Assumption',
    ),
  impactScale: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe(
      'Multiplies what size costs a taker: 0.001 USD per token for 1,000 USD, growing with its root; 0: nothing',
    ),
  longshotBias: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.03)
    .describe('Favourite-longshot bias b: logit(price) = (1 - b) logit(probability); 0 calibrates prices. Assumption'),
  fiftyFiftyShare: z.number().min(0).max(1).default(0.01).describe('Share of markets that pay 0.5 to both outcomes'),
  wash: z
    .strictObject({
      share: z
        .number()
        .min(0)
        .max(0.9)
        .default(0.25)
        .describe('Part of the volume of those days that wash traders make, if there are any'),
      ringSize: z.int().min(2).max(50).default(4).describe('Wallets in a ring'),
      fromDay: z.number().min(0).default(0).describe('First day of the surge, days from the start'),
      toDay: z.number().positive().nullable().default(null).describe('Day of its end; null: the end of the world'),
    })
    .prefault({})
    .describe('Wash surge: rings of wallets that trade with each other at the middle price'),
  familySize: z.int().min(2).max(100).default(5).describe('Wallets in a family of sybils'),
  fees: z
    .array(
      z.strictObject({
        fromDay: z.number().min(0).describe('Day from which it holds, days from the start'),
        rate: z.number().min(0).max(1).describe('Rate: a taker pays shares * rate * (p (1 - p))^exponent, USD'),
        exponent: z.number().min(0).max(4).default(1).describe('Exponent of p (1 - p)'),
        takerOnly: z.boolean().default(true).describe('Makers pay nothing'),
        rebateShare: z.number().min(0).max(1).default(0).describe("Part of the taker's fee that the maker gets"),
      }),
    )
    .refine((steps) => steps.every((step, i) => i === 0 || step.fromDay > (steps[i - 1]?.fromDay ?? 0)), {
      message: 'days must ascend',
    })
    .default([])
    .describe('Fee schedule of all markets, by ascending day; no fee before the first'),
  disputes: z
    .strictObject({
      share: z.number().min(0).max(1).default(0).describe('Share of markets whose proposed payout is disputed'),
      fiftyFiftyShare: z.number().min(0).max(1).default(0.2).describe('Share of disputed markets that then pay 50-50'),
    })
    .prefault({})
    .describe('Disputes: the first one leads to a new proposal, a second one (half of them) to a vote of 2 to 4 days'),
  events: z
    .strictObject({
      exclusiveShare: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('Share of events of three to six markets of which exactly one happens; their prices add up to 1'),
      outcomeCorrelation: z
        .number()
        .min(0)
        .max(1)
        .default(0.6)
        .describe('Correlation of the outcomes of the markets of any other event (Gaussian copula)'),
      shockCorrelation: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('Correlation of the shocks to the log-odds of the markets of any other event'),
    })
    .prefault({})
    .describe('How the markets of one event hang together'),
  news: z
    .strictObject({
      perMarket: z.number().min(0).max(1000).default(0).describe('Mean items of news in the life of a market; 0: none'),
      informationShare: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe("Part of a market's information that comes as news, the rest comes evenly"),
      quoteLatencySeconds: z.number().min(0).default(30).describe('Time until quotes have taken in an item, seconds'),
      reactions: z.int().min(0).max(1000).default(8).describe('Wallets that trade on an item, each after its latency'),
      latencyScale: z
        .number()
        .positive()
        .default(1)
        .describe('Multiplies the latency of all wallets (medians: arbitrage bots 2 s, bots 8 s, casual 900 s)'),
    })
    .prefault({})
    .describe('News moves the probability at once, quotes and wallets only after their latency'),
  shards: z
    .int()
    .positive()
    .max(10_000)
    .nullable()
    .default(null)
    .describe(
      'Parts that share neither wallets nor markets, made in parallel; null: one for each million of expected fills',
    ),
});

export default defineStage({
  name: 'source.simulated',
  version: 3,
  summary: 'Makes a world of prediction markets with wallets whose skill is known, to test whether it is found',
  params,
  inputs: {},
  outputs: {
    trades: output('table', 'Fills, one row a wallet and fill', { orderBy: canonicalOrder.trades }),
    markets: output('table', 'Markets with their event and category', { orderBy: canonicalOrder.markets }),
    resolutions: output('table', 'Payouts of the markets final before the end', {
      orderBy: canonicalOrder.resolutions,
    }),
    events: output('table', 'Events and whether their markets exclude each other', { orderBy: canonicalOrder.events }),
    feeSchedules: output('table', 'Fees by market and date; empty without fees', {
      orderBy: canonicalOrder.feeSchedules,
    }),
    truth: output('table', 'What each wallet was made to be', { orderBy: canonicalOrder.truth }),
    marketTruth: output('table', 'What is true of each market', { orderBy: canonicalOrder.marketTruth }),
    metrics: output('metrics', 'Rows, totals and what was planted'),
    figures: output('figures', 'Fills over time, wallets by size, calibration, kinds of wallet'),
  },
  isolation: 'process',
  runs: 'source-simulated',
  // About 90 bytes a fill: 16 in the shards' matches and 40 in the database, and what growing takes.
  resources: (world) => ({
    threads: Math.min(4, shardCount(world)),
    memoryMb: 2000 + Math.ceil((expectedFills(world) * 90) / 1e6),
    gpus: 0,
  }),
});
