import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { perpetualOrder } from '../markets/hyperliquid/canonical.ts';

const share = (fallback: number, what: string) => z.number().min(0).default(fallback).describe(`Weight of ${what}`);

export const params = z.strictObject({
  wallets: z.int().min(10).max(1_000_000).default(500).describe('Accounts on the exchange'),
  coins: z.int().min(1).max(8).default(4).describe('Coins, of BTC, ETH, SOL, HYPE, DOGE, XRP, LINK, AVAX'),
  days: z.number().min(1).max(400).default(14).describe('Length of the world, days'),
  startDate: z.iso.date().default('2025-01-01').describe('First day, YYYY-MM-DD, UTC'),
  kinds: z
    .strictObject({
      casual: share(60, 'casual accounts: few orders, either way'),
      momentum: share(10, 'accounts that follow the move of the last hour'),
      meanReversion: share(8, 'accounts that bet against the move of the last half hour'),
      marketMaker: share(4, 'market makers: they take the other side of what comes'),
      bot: share(6, 'bots: even times and sizes, either way'),
      whale: share(3, 'accounts with large orders and no knowledge'),
      holder: share(5, 'accounts that buy and never sell'),
      skilled: share(4, 'accounts whose positions earn the planted edge'),
    })
    .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'at least one weight must be above 0')
    .prefault({})
    .describe('Relative weights of the kinds of account; they need not add up to 1'),
  skilledEdgeBps: z
    .strictObject({
      mean: z.number().min(-200).max(200).default(12).describe('Mean over skilled accounts, basis points'),
      sd: z.number().min(0).max(100).default(4).describe('Standard deviation over skilled accounts, basis points'),
    })
    .prefault({})
    .describe('Planted edge: mean return of the mid over the horizon in the direction of the position, before costs'),
  horizonMinutes: z.number().positive().max(1440).default(60).describe('That horizon, minutes; then it is closed'),
  tradesPerWallet: z
    .number()
    .positive()
    .max(10_000)
    .default(20)
    .describe('Median positions that a casual account opens; the other kinds scale with it'),
  quoteSeconds: z.int().min(1).max(3600).default(5).describe('Time from one quote of a coin to the next, seconds'),
  dailyVolatility: z.number().positive().max(0.5).default(0.04).describe("Standard deviation of a day's log return"),
});

export default defineStage({
  name: 'source.simulated-perpetuals',
  version: 1,
  summary: 'Makes an exchange of perpetuals with accounts whose skill is known: fills, quotes, candles, truth',
  params,
  inputs: {},
  outputs: {
    fills: output('table', 'Fills, one row an account and match', { orderBy: perpetualOrder.fills }),
    quotes: output('table', 'Best bid and offer at even times', { orderBy: perpetualOrder.quotes }),
    candles: output('table', 'Candles of a minute with at least one match', { orderBy: perpetualOrder.candles }),
    truth: output('table', 'What each account was made to be', { orderBy: ['wallet'] }),
    metrics: output('metrics', 'Rows and totals'),
    figures: output('figures', 'What each kind of account did and realised'),
  },
  isolation: 'process',
  runs: 'source-simulated-perpetuals',
  // 100 bytes a quote and 200 a fill, of which there are 20 or so for each order of a casual account.
  resources: ({ wallets, coins, days, quoteSeconds, tradesPerWallet }) => ({
    threads: 1,
    memoryMb: 1500 + Math.ceil(((coins * days * 86_400) / quoteSeconds) * 1e-4 + wallets * tradesPerWallet * 20 * 2e-4),
    gpus: 0,
  }),
});
