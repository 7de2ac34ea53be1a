/**
 * Messages of the exchange's WebSocket, as its documentation lays them out: trades, bbo, l2Book, candle, userFills.
 * A match names its `users` as [buyer, seller]; its `side` is the taker's, B or A (bid or ask).
 */
import type { Tuple } from '../../tuple.ts';
import * as field from './fields.ts';
import { Refused } from './fields.ts';
import { type FillRecord, feeFields, type Item, type Level, type Sink } from './records.ts';

const sides = { B: 'BUY', A: 'SELL' } as const;

type Json = Readonly<Record<string, unknown>>;

export function object(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused(`${name}: not an object`);
  return value as Json;
}

export function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Refused(`${name}: not a list`);
  return value;
}

/** The channel whose payload has this shape; the recorder of JSON lines drops its name. */
export function channelOf(data: unknown): string | undefined {
  const one = Array.isArray(data) ? data[0] : data;
  if (typeof one !== 'object' || one === null) return undefined;
  const has = (...names: string[]): boolean => names.every((name) => name in one);
  if (has('levels', 'coin')) return 'l2Book';
  if (has('bbo', 'coin')) return 'bbo';
  if (has('t', 'o', 'h', 'l', 'c', 's')) return 'candle';
  if (has('fills', 'user')) return 'userFills';
  if (has('px', 'sz', 'coin', 'side')) return 'trades';
  if (has('parentHash', 'number')) return 'block';
  if (has('blockNumber', 'from', 'hash')) return 'transaction';
  return undefined;
}

/** What a message holds. `complete`: its candles are finished ones. */
export function takeMessage(channel: string, data: unknown, receivedAt: number, complete: boolean, sink: Sink): void {
  if (channel === 'trades') {
    for (const trade of list(data, 'trades')) sink.element(() => tradeItems(object(trade, 'trade'), receivedAt));
  } else if (channel === 'userFills') {
    const { user, fills } = object(data, 'userFills');
    const wallet = field.address(user, 'user');
    for (const fill of list(fills, 'fills')) sink.element(() => accountFill(object(fill, 'fill'), wallet, receivedAt));
  } else if (channel === 'bbo') sink.element(() => quoteItem(object(data, 'bbo'), receivedAt));
  else if (channel === 'l2Book') sink.element(() => bookItem(object(data, 'l2Book'), receivedAt));
  else if (channel === 'candle') {
    for (const candle of Array.isArray(data) ? data : [data])
      sink.element(() => candleItem(object(candle, 'candle'), receivedAt, complete));
  } else sink.skip(channel);
}

/** A match is a print and, if it names its users, two fills. */
function tradeItems(trade: Json, receivedAt: number): Item[] {
  const coin = field.coinName(trade['coin']);
  const side = field.oneOf(trade['side'], sides, 'side');
  const price = field.price(trade['px'], 'px');
  const size = field.size(trade['sz'], 'sz');
  const time = field.millis(trade['time'], 'time');
  const usd = field.notional(price, size);
  const tradeId = field.wholeNumber(trade['tid'], 'tid');
  const transaction = field.hash(trade['hash'], 'hash');
  const users = trade['users'] == null ? [] : list(trade['users'], 'users');
  if (users.length !== 0 && users.length !== 2) throw new Refused('users: not two addresses');
  const [buyer = null, seller = null] = users.map((user) => field.address(user, 'users'));
  const print = { time, receivedAt, coin, side, price, size, usd, buyer, seller, tradeId, transaction };
  const items: Item[] = [{ table: 'prints', row: print }];
  if (buyer === null || seller === null) return items;
  const parties = [
    { wallet: buyer, counterparty: seller, side: 'BUY' },
    { wallet: seller, counterparty: buyer, side: 'SELL' },
  ] as const;
  for (const party of parties)
    items.push({
      table: 'fills',
      row: {
        ...unknownOfTrade,
        ...party,
        time,
        timeResolutionMs: 1,
        receivedAt,
        coin,
        role: party.side === side ? 'taker' : 'maker',
        price,
        size,
        usd,
        tradeId,
        transaction,
      },
    });
  return items;
}

const unknownOfTrade = {
  direction: null,
  startPosition: null,
  closedPnlUsd: null,
  fee: null,
  feeToken: null,
  feeUsd: null,
  orderId: null,
} as const;

const DIRECTION = /^[A-Za-z0-9 >.:/()-]{1,60}$/;

export function direction(value: unknown): string {
  if (typeof value !== 'string' || !DIRECTION.test(value)) throw new Refused('direction: not words');
  return value;
}

/** A fill as the API lists it for an account (`userFills`). */
export function accountFill(fill: Json, wallet: string, receivedAt: number | null): Item {
  const coin = field.coinName(fill['coin']);
  const price = field.price(fill['px'], 'px');
  const size = field.size(fill['sz'], 'sz');
  if (typeof fill['crossed'] !== 'boolean') throw new Refused('crossed: not true or false');
  const row: FillRecord = {
    time: field.millis(fill['time'], 'time'),
    timeResolutionMs: 1,
    receivedAt,
    coin,
    wallet,
    counterparty: null,
    role: fill['crossed'] ? 'taker' : 'maker',
    side: field.oneOf(fill['side'], sides, 'side'),
    direction: direction(fill['dir']),
    price,
    size,
    usd: field.notional(price, size),
    startPosition: field.decimal(fill['startPosition'], 'startPosition', 20),
    closedPnlUsd: field.money(fill['closedPnl'], 'closedPnl'),
    ...feeFields(field.decimal(fill['fee'], 'fee', 20), tokenOf(fill['feeToken'], coin), coin, price),
    orderId: field.wholeNumber(fill['oid'], 'oid'),
    tradeId: field.wholeNumber(fill['tid'], 'tid'),
    transaction: field.hash(fill['hash'], 'hash'),
  };
  return { table: 'fills', row };
}

/** The API names the token of a spot pair by its own name (HYPE), the fill by the number of the pair (@107). */
function tokenOf(value: unknown, coin: string): string | null {
  if (value == null) return null;
  const token = field.coinName(value, 'feeToken');
  return token.startsWith('USD') || !field.isSpot(coin) ? token : coin;
}

function level(value: unknown, name: string): Level {
  const { px, sz, n } = object(value, name);
  const orders = n == null ? null : Number(field.wholeNumber(n, `${name}.n`));
  return { price: field.price(px, `${name}.px`), size: field.size(sz, `${name}.sz`), orders };
}

function quoteItem(data: Json, receivedAt: number): Item {
  const [bid, ask, ...more] = list(data['bbo'], 'bbo');
  if (more.length > 0 || bid === undefined || ask === undefined) throw new Refused('bbo: not a bid and an ask');
  const best = {
    bid: bid === null ? null : level(bid, 'bid'),
    ask: ask === null ? null : level(ask, 'ask'),
  };
  return quoteOf(field.coinName(data['coin']), field.millis(data['time'], 'time'), receivedAt, best);
}

/** A quote; where both sides are there the bid must be the lower. */
export function quoteOf(
  coin: string,
  time: number,
  receivedAt: number,
  { bid, ask }: { bid: Level | null; ask: Level | null },
): Item {
  if (bid !== null && ask !== null && field.units(bid.price) >= field.units(ask.price))
    throw new Refused('bid: not below the ask');
  const row = {
    coin,
    time,
    receivedAt,
    bid: bid?.price ?? null,
    bidSize: bid?.size ?? null,
    ask: ask?.price ?? null,
    askSize: ask?.size ?? null,
  };
  return { table: 'quotes', row };
}

function bookItem(data: Json, receivedAt: number): Item {
  const [bids, asks, ...more] = list(data['levels'], 'levels');
  if (more.length > 0) throw new Refused('levels: not bids and asks');
  return bookOf(
    field.coinName(data['coin']),
    field.millis(data['time'], 'time'),
    receivedAt,
    list(bids, 'levels[0]').map((one) => level(one, 'bid')),
    list(asks, 'levels[1]').map((one) => level(one, 'ask')),
  );
}

/** A book whose levels go from the best price outwards and do not cross. */
export function bookOf(
  coin: string,
  time: number,
  receivedAt: number,
  bids: readonly Level[],
  asks: readonly Level[],
): Item {
  const [bidUnits, askUnits] = [bids, asks].map((side) => side.map((one) => field.units(one.price)));
  const inOrder = (prices: readonly bigint[] = [], sign: 1n | -1n): boolean =>
    prices.every((one, i) => i === 0 || sign * (prices[i - 1] as bigint) > sign * one);
  if (!inOrder(bidUnits, 1n) || !inOrder(askUnits, -1n)) throw new Refused('levels: not in the order of prices');
  const [bestBid, bestAsk] = [bidUnits?.[0], askUnits?.[0]];
  if (bestBid !== undefined && bestAsk !== undefined && bestBid >= bestAsk) throw new Refused('bid: not below the ask');
  return { table: 'books', row: { coin, time, receivedAt, bids, asks } };
}

const INTERVAL = /^\d{1,3}[mhdwM]$/;

function candleItem(data: Json, receivedAt: number, complete: boolean): Item {
  const { i: interval, v, n } = data;
  if (typeof interval !== 'string' || !INTERVAL.test(interval)) throw new Refused('i: not an interval');
  const time = field.millis(data['t'], 't');
  const closesAt = field.millis(data['T'], 'T');
  if (closesAt <= time) throw new Refused('T: not after t');
  const prices = ['o', 'h', 'l', 'c'].map((name) => field.price(data[name], name)) as Tuple<string, 4>;
  const [open, high, low, close] = prices;
  const [o, h, l, c] = prices.map(field.units) as Tuple<bigint, 4>;
  if (l > o || l > c || h < o || h < c) throw new Refused('o, h, l, c: open or close outside of low and high');
  if (typeof v !== 'string' || !/^\d+(\.\d+)?$/.test(v)) throw new Refused('v: not a plain number');
  const trades = n == null ? null : Number(field.wholeNumber(n, 'n'));
  const coin = field.coinName(data['s'], 's');
  const row = { coin, interval, time, closesAt, receivedAt, complete, open, high, low, close, volume: v, trades };
  return { table: 'candles', row };
}
