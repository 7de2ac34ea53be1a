/**
 * The canonical tables of a perpetual exchange, as `source.hyperliquid` writes them.
 *
 * Times are TIMESTAMP in UTC. `time` is the exchange's clock, `receivedAt` that of whoever recorded the message (null
 * if nobody did), `knowableAt` the later of both: nothing may be used before it. Prices are DECIMAL(18,8) and sizes
 * DECIMAL(28,8), since the exchange quotes both with at most eight decimals (perpetuals six) and coins of a fraction of
 * a cent have sizes beyond 10^10; US dollars are DECIMAL(18,6), rounded once, half to even.
 */
import type { ColumnSpec } from '../../tables/columns.ts';

export type PerpetualTable = 'fills' | 'prints' | 'quotes' | 'books' | 'candles' | 'blocks' | 'transactions';

/** A column with the SQL type in which it is stored. */
export type TypedColumn = ColumnSpec & { readonly type: string };

export const PRICE = 'DECIMAL(18, 8)';
export const SIZE = 'DECIMAL(28, 8)';
const USD = 'DECIMAL(18, 6)';

const info = (name: string, type: string, description: string, unit?: string): TypedColumn => ({
  name,
  role: 'info',
  type,
  description,
  ...(unit === undefined ? {} : { unit }),
});

const time = (description: string): TypedColumn => ({ name: 'time', role: 'time', type: 'TIMESTAMP', description });
const received = info('receivedAt', 'TIMESTAMP', 'When the recorder received it, UTC; null if not recorded');
const knowable = info('knowableAt', 'TIMESTAMP', 'From when on it may be used, UTC: the later of both times');
const coin = info('coin', 'VARCHAR', 'Perpetual as the exchange names it (BTC); @number or A/B is a spot pair');

const fills: readonly TypedColumn[] = [
  info('seq', 'BIGINT', 'Number of the row from 0, in order of (time, file, place in the file)'),
  time('Time of the fill, UTC, rounded down to the resolution of the source'),
  info('timeResolutionMs', 'INTEGER', 'The fill happened within this long from its time', 'ms'),
  received,
  info(
    'knowableAt',
    'TIMESTAMP',
    'From when on it may be used, UTC: its receipt, or the end of its resolution if later',
  ),
  coin,
  { name: 'wallet', role: 'id', type: 'VARCHAR', description: 'Address of the account, lower case' },
  info('counterparty', 'VARCHAR', 'Address on the other side; null if unknown'),
  info('role', 'VARCHAR', 'taker if the order crossed the book, else maker; null if unknown'),
  info('side', 'VARCHAR', 'BUY or SELL, as the wallet sees it'),
  info('direction', 'VARCHAR', "The exchange's words: Open Long, Close Short, Long > Short, Buy, ...; null if unknown"),
  info('price', PRICE, 'Price of the fill', 'USD per coin'),
  info('size', SIZE, 'Coins that changed hands, above 0', 'coins'),
  info('usd', USD, 'price x size', 'USD'),
  info('startPosition', SIZE, 'Position before the fill, negative if short; null if unknown', 'coins'),
  info('closedPnlUsd', USD, 'Profit the fill realised, as the exchange reckons it; null if unknown', 'USD'),
  info('fee', SIZE, 'Fee in units of feeToken, negative if a rebate; null if unknown', 'feeToken'),
  info('feeToken', 'VARCHAR', 'USDC, or the coin itself for purchases on spot; null if unknown'),
  info('feeUsd', USD, 'Fee in dollars: in USDC as it is, in the coin at the price of the fill; else null', 'USD'),
  info('orderId', 'VARCHAR', 'Number of the order; null if unknown'),
  info('tradeId', 'VARCHAR', 'Number of the match, unique with coin and time; null if unknown or rounded'),
  info('transaction', 'VARCHAR', 'Hash of the transaction; null if unknown or the exchange gives none (all zeros)'),
];

const prints: readonly TypedColumn[] = [
  info('seq', 'BIGINT', 'Number of the row from 0, in order of (time, file, place in the file)'),
  time('Time of the match, UTC'),
  received,
  knowable,
  coin,
  info('side', 'VARCHAR', 'BUY or SELL of the taker'),
  info('price', PRICE, 'Price of the match', 'USD per coin'),
  info('size', SIZE, 'Coins that changed hands', 'coins'),
  info('usd', USD, 'price x size', 'USD'),
  info('buyer', 'VARCHAR', 'Address of the buyer, lower case; null if unknown'),
  info('seller', 'VARCHAR', 'Address of the seller, lower case; null if unknown'),
  info('tradeId', 'VARCHAR', 'Number of the match'),
  info('transaction', 'VARCHAR', 'Hash of the transaction; null if unknown'),
];

const quotes: readonly TypedColumn[] = [
  coin,
  time('Time of the quote, UTC'),
  received,
  knowable,
  info('bid', PRICE, 'Best bid; null if there is none', 'USD per coin'),
  info('bidSize', SIZE, 'Coins bid for at the best price', 'coins'),
  info('ask', PRICE, 'Best offer; null if there is none', 'USD per coin'),
  info('askSize', SIZE, 'Coins offered at the best price', 'coins'),
];

const books: readonly TypedColumn[] = [
  info('snapshot', 'BIGINT', 'Number of the snapshot from 0, in order of (coin, knowableAt, time)'),
  coin,
  time('Time of the snapshot, UTC'),
  received,
  knowable,
  info('side', 'VARCHAR', 'BID or ASK'),
  info('level', 'INTEGER', 'Place in the book from 0, the best price'),
  info('price', PRICE, 'Price of the level', 'USD per coin'),
  info('size', SIZE, 'Coins at the level', 'coins'),
  info('orders', 'INTEGER', 'Orders at the level; null if unknown'),
];

const candles: readonly TypedColumn[] = [
  coin,
  info('interval', 'VARCHAR', 'Length as the exchange writes it: 1m, 1h, 1d'),
  time('Time at which it opens, UTC'),
  info('closesAt', 'TIMESTAMP', 'Last millisecond that belongs to it, UTC'),
  info('knowableAt', 'TIMESTAMP', 'When it was seen to be complete, UTC: with the first message of a later candle'),
  info('open', PRICE, 'First price', 'USD per coin'),
  info('high', PRICE, 'Highest price', 'USD per coin'),
  info('low', PRICE, 'Lowest price', 'USD per coin'),
  info('close', PRICE, 'Last price', 'USD per coin'),
  info('volume', 'DOUBLE', 'Coins traded; the exchange adds them up in floating point', 'coins'),
  info('trades', 'INTEGER', 'Number of matches; null if unknown'),
];

const blocks: readonly TypedColumn[] = [
  { name: 'block', role: 'id', type: 'BIGINT', description: 'Number of the block of the EVM chain' },
  time("The block's own timestamp, UTC, whole seconds"),
  received,
  knowable,
  info('hash', 'VARCHAR', 'Hash of the block'),
  info('transactions', 'INTEGER', 'Transactions in it; null if the header alone was recorded'),
];

const transactions: readonly TypedColumn[] = [
  info('block', 'BIGINT', 'Number of the block'),
  info('place', 'INTEGER', 'Place in the block from 0; null if unknown'),
  time('Time of its block, UTC; null if that block was not recorded: it is never reckoned from the number'),
  received,
  info('knowableAt', 'TIMESTAMP', 'From when on it may be used, UTC: the later of both times'),
  info('transaction', 'VARCHAR', 'Hash'),
  { name: 'wallet', role: 'id', type: 'VARCHAR', description: 'Sender, lower case' },
  info('recipient', 'VARCHAR', 'Recipient, lower case; null for the creation of a contract'),
  info('valueHype', 'DECIMAL(38, 18)', 'Value sent', 'HYPE'),
  info('callsContract', 'BOOLEAN', 'True if it carries call data or creates a contract'),
];

/** Columns of each table in their order, with roles, types and units. */
export const perpetualColumns: Readonly<Record<PerpetualTable, readonly TypedColumn[]>> = {
  fills,
  prints,
  quotes,
  books,
  candles,
  blocks,
  transactions,
};

/** The columns that order the rows of each table. */
export const perpetualOrder: Readonly<Record<PerpetualTable, readonly string[]>> = {
  fills: ['seq'],
  prints: ['seq'],
  quotes: ['coin', 'knowableAt', 'time'],
  books: ['snapshot', 'side', 'level'],
  candles: ['coin', 'interval', 'time'],
  blocks: ['block'],
  transactions: ['block', 'place', 'transaction'],
};

export const perpetualTables = Object.keys(perpetualColumns) as readonly PerpetualTable[];
