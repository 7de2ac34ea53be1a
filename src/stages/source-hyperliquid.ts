import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { perpetualOrder } from '../markets/hyperliquid/canonical.ts';

const file = z.string().min(1).describe('Path; gzipped if it ends in .gz');
const coin = z.string().min(1).describe('Coin that the capture is of: the file does not say');

const recorded = z.discriminatedUnion('format', [
  z.strictObject({
    format: z
      .literal('recorded-jsonl')
      .describe(
        'One feed, a line each {timestamp, unix_timestamp, data}: trades, bbo, l2Book, candle, blocks, transactions',
      ),
    file,
  }),
  z.strictObject({
    format: z.literal('websocket-log').describe('Raw messages: nanoseconds of receipt, a blank, the JSON'),
    file,
  }),
  z.strictObject({
    format: z.literal('account-csv').describe('Fills of accounts from a spreadsheet, 16 columns'),
    file,
    utcOffset: z
      .string()
      .regex(/^[+-](0\d|1[0-4]):[0-5]\d$/, 'expected an offset such as +05:30')
      .describe('How far the clock of `Timestamp IST` is ahead of UTC, such as +05:30; there is no default'),
  }),
  z.strictObject({
    format: z.literal('user-fills').describe("The API's answer to userFills or userFillsByTime, a JSON list"),
    file,
    wallet: z
      .string()
      .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address')
      .describe('Account that was asked for: the answer does not name it'),
  }),
  z.strictObject({ format: z.literal('capture-books').describe('Books of 20 levels, CSV, 83 columns'), file, coin }),
  z.strictObject({ format: z.literal('capture-quotes').describe('Best bid and ask, a line each, CSV'), file, coin }),
  z.strictObject({ format: z.literal('capture-trades').describe('Public trades without users, CSV'), file, coin }),
]);

export const params = z.strictObject({
  files: z.array(recorded).min(1).describe('Recordings, in any order and mixture'),
  duplicates: z
    .enum(['keep', 'drop-exact'])
    .default('drop-exact')
    .describe(
      'Records that repeat an earlier one in all but their receipt (reconnecting feeds, overlapping pages, a match in both the trades of a coin and the fills of an account): drop them, or keep them. Candles, blocks and transactions are kept once in any case',
    ),
  maxRejected: z
    .number()
    .min(0)
    .max(1)
    .default(0.001)
    .describe('Share of the records of a file that may be refused before the run stops, 0 to 1'),
});

export type Params = z.output<typeof params>;

export default defineStage<Params>({
  name: 'source.hyperliquid',
  version: 1,
  summary: 'Reads recordings of Hyperliquid: fills, trades, quotes, books, candles, the chain; says what it refused',
  params,
  inputs: {},
  outputs: {
    fills: output('table', 'Fills, one row a wallet and fill', { orderBy: perpetualOrder.fills }),
    prints: output('table', 'Public trades, one row a match', { orderBy: perpetualOrder.prints }),
    quotes: output('table', 'Best bid and offer', { orderBy: perpetualOrder.quotes }),
    books: output('table', 'Levels of the order book', { orderBy: perpetualOrder.books }),
    candles: output('table', 'Complete candles', { orderBy: perpetualOrder.candles }),
    blocks: output('table', 'Blocks of the EVM chain', { orderBy: perpetualOrder.blocks }),
    transactions: output('table', 'Transactions of the EVM chain', { orderBy: perpetualOrder.transactions }),
    metrics: output('metrics', 'What became of the records of each file; whether stated positions follow from fills'),
    figures: output('figures', 'Volume over time, rows, gaps and delays of each table, reasons for refusal'),
  },
  isolation: 'process',
  runs: 'source-hyperliquid',
  resources: () => ({ threads: 2, memoryMb: 2000, gpus: 0 }),
  files: ({ files }) => files.map((one) => one.file),
});
