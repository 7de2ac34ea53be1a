import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';

const share = (fallback: number, what: string) => z.number().min(0).default(fallback).describe(`Weight of ${what}`);

const archetypes = z
  .strictObject({
    casual: share(79, 'casual wallets: few orders, small, no knowledge'),
    favouriteBuyer: share(8, 'wallets that buy at 0.70 to 0.97: many wins, no edge'),
    marketMaker: share(2, 'market makers: quote both sides of few markets, nearly always maker'),
    bot: share(3, 'bots: regular times and sizes, no edge'),
    skilled: share(5, 'wallets whose purchases pay more than they cost, by the planted edge'),
    freshInsider: share(1, 'new wallets that buy the winner of one market, large, hours before its close'),
    whale: share(2, 'wallets with large orders and no knowledge'),
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
    .describe('Half spread at a price of 0.5, USD per token; it shrinks as p(1-p), plus one tick of 0.001. Assumption'),
  longshotBias: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.03)
    .describe('Favourite-longshot bias b: logit(price) = (1 - b) logit(probability); 0 calibrates prices. Assumption'),
  fiftyFiftyShare: z.number().min(0).max(1).default(0.01).describe('Share of markets that pay 0.5 to both outcomes'),
});

export default defineStage({
  name: 'source.simulated',
  version: 1,
  summary: 'Makes a world of prediction markets with wallets whose skill is known, to test whether it is found',
  params,
  inputs: {},
  outputs: {
    trades: output('table', 'Fills, one row a wallet and fill', { orderBy: canonicalOrder.trades }),
    markets: output('table', 'Markets with their event and category', { orderBy: canonicalOrder.markets }),
    resolutions: output('table', 'Payouts of the markets final before the end', {
      orderBy: canonicalOrder.resolutions,
    }),
    truth: output('table', 'What each wallet was made to be', { orderBy: canonicalOrder.truth }),
    metrics: output('metrics', 'Rows, totals and what was planted'),
    figures: output('figures', 'Fills over time, wallets by size, calibration, kinds of wallet'),
  },
  isolation: 'process',
  runs: 'source-simulated',
  resources: () => ({ threads: 1, memoryMb: 2000, gpus: 0 }),
});
