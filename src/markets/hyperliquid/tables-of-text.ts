/** CSV files: fills of accounts from a spreadsheet, and captures of books, best prices and trades of one coin. */
import { FathomError } from '../../errors.ts';
import type { Tuple } from '../../tuple.ts';
import * as field from './fields.ts';
import { Refused } from './fields.ts';
import type { Line } from './lines.ts';
import { bookOf, direction, quoteOf } from './payloads.ts';
import { feeFields, type Item, type Level, type Sink } from './records.ts';

/** Fields of a line; a quoted one may hold commas, but no line break. */
export function fieldsOf(text: string): string[] {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  while (pattern.lastIndex <= text.length) {
    const match = pattern.exec(text);
    if (match === null) throw new Refused('line: a quote that is not closed, or stands inside of a field');
    fields.push(match[1] === undefined ? (match[2] as string) : match[1].replaceAll('""', '"'));
    if (match[3] === '') break;
  }
  return fields;
}

const accountColumns = [
  'Account',
  'Coin',
  'Execution Price',
  'Size Tokens',
  'Size USD',
  'Side',
  'Timestamp IST',
  'Start Position',
  'Direction',
  'Closed PnL',
  'Transaction Hash',
  'Order ID',
  'Crossed',
  'Fee',
  'Trade ID',
  'Timestamp',
];
const LEVELS = 20;
const levelColumns = Array.from({ length: LEVELS }, (_, i) =>
  ['bid_price', 'bid_size', 'ask_price', 'ask_size'].map((name) => `${name}_${i}`),
).flat();

export const csvColumns = {
  'account-csv': accountColumns,
  'capture-books': ['timestamp', 'sequence', 'exchange_timestamp', ...levelColumns],
  'capture-quotes': ['timestamp', 'price', 'size', 'side', 'exchange_timestamp'],
  'capture-trades': ['timestamp', 'price', 'size', 'side', 'trade_id', 'exchange_timestamp'],
} as const;

export type CsvFormat = keyof typeof csvColumns;

/**
 * Makes a reader of lines. It stops with an error where the header is not that of the format, or where a later line has
 * another number of fields: the file has changed its schema. Only a last line without its line break may be short.
 */
export function csvReader(
  format: CsvFormat,
  file: string,
  rowOf: (fields: readonly string[], sink: Sink) => void,
): (line: Line, sink: Sink) => void {
  const columns = csvColumns[format];
  let header = false;
  return (line, sink) => {
    if (!header) {
      header = true;
      const names = fieldsOf(line.text).map((name) => name.trim());
      if (names.join() === columns.join()) return;
      const missing = columns.filter((name) => !names.includes(name));
      throw new FathomError(
        'data',
        `the header is not that of ${format}: ${missing.length > 0 ? `no column ${missing.slice(0, 5).join(', ')}` : 'other columns, or another order'}`,
        { at: { file, line: line.number }, hint: `Expected: ${columns.join(',').slice(0, 300)}` },
      );
    }
    let fields: readonly string[] = [];
    try {
      fields = fieldsOf(line.text);
    } catch (error) {
      sink.element(() => {
        throw error;
      });
      return;
    }
    if (fields.length === columns.length) {
      rowOf(fields, sink);
      return;
    }
    if (line.ended)
      throw new FathomError('data', `${fields.length} fields where the header has ${columns.length}`, {
        at: { file, line: line.number },
        hint: 'The file changes its schema here, or two files were joined: split it, and read the parts by their formats.',
      });
    sink.element(() => {
      throw new Refused('line: cut at the end of the file');
    });
  };
}

const takers = { TRUE: 'taker', FALSE: 'maker', true: 'taker', false: 'maker' } as const;

/**
 * Fills of accounts. `Timestamp IST` is a clock without its zone, given in minutes; `Trade ID` and `Timestamp` were
 * rounded by a spreadsheet (8.95E+14), so they are not read. Fees of purchases on spot are in the coin.
 *
 * @param offsetMinutes minutes by which the clock of the file is ahead of UTC
 */
export function accountRow(offsetMinutes: number): (fields: readonly string[], sink: Sink) => void {
  return (fields, sink) =>
    sink.element(() => {
      const [account, name, px, sz, , side, clock, start, dir, pnl, hash, order, crossed, fee, trade] = fields;
      const coin = field.coinName(name);
      const price = field.price(px, 'Execution Price');
      const size = field.size(sz, 'Size Tokens');
      const bought = field.oneOf(side, { BUY: 'BUY', SELL: 'SELL' } as const, 'Side');
      const feeToken = bought === 'BUY' && field.isSpot(coin) ? coin : 'USDC';
      return {
        table: 'fills',
        row: {
          time: clockTime(clock as string, offsetMinutes),
          timeResolutionMs: 60_000,
          receivedAt: null,
          coin,
          wallet: field.address(account, 'Account'),
          counterparty: null,
          role: field.oneOf(crossed, takers, 'Crossed'),
          side: bought,
          direction: direction(dir),
          price,
          size,
          usd: field.notional(price, size),
          startPosition: field.decimal(start, 'Start Position', 20),
          closedPnlUsd: field.money(pnl, 'Closed PnL'),
          ...feeFields(field.decimal(fee, 'Fee', 20), feeToken, coin, price),
          orderId: field.wholeNumber(order, 'Order ID'),
          tradeId: /^\d+$/.test(trade as string) ? (trade as string) : null,
          transaction: field.hash(hash, 'Transaction Hash'),
        },
      };
    });
}

/** `02-12-2024 22:50`, day first, on a clock that is `offsetMinutes` ahead of UTC. */
function clockTime(text: string, offsetMinutes: number): number {
  const match = /^(\d{1,2})-(\d{1,2})-(\d{4}) (\d{1,2}):(\d{2})$/.exec(text);
  if (match === null) throw new Refused('Timestamp IST: not DD-MM-YYYY H:MM');
  const [day, month, year, hour, minute] = match.slice(1).map(Number) as Tuple<number, 5>;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute));
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1 || hour > 23 || minute > 59)
    throw new Refused('Timestamp IST: no such moment');
  return field.within((date.getTime() - offsetMinutes * 60_000) * 1000, 'Timestamp IST', 'minutes');
}

export function bookRow(coin: string): (fields: readonly string[], sink: Sink) => void {
  return (fields, sink) =>
    sink.element(() => {
      const levels = (first: number, name: string): Level[] => {
        const found: Level[] = [];
        for (let i = 0; i < LEVELS; i++) {
          const [px = '', sz = ''] = fields.slice(first + 4 * i, first + 4 * i + 2);
          // A side may be shorter than the file is wide.
          if (px === '' && sz === '') continue;
          found.push({ price: field.price(px, `${name}_price`), size: field.size(sz, `${name}_size`), orders: null });
        }
        return found;
      };
      const receivedAt = field.seconds(fields[0], 'timestamp');
      return bookOf(
        coin,
        field.millis(fields[2], 'exchange_timestamp'),
        receivedAt,
        levels(3, 'bid'),
        levels(5, 'ask'),
      );
    });
}

/** A quote is two lines, the bid and then the ask of one moment; a line without its other half is refused. */
export function quoteRow(coin: string): (fields: readonly string[], sink: Sink) => void {
  let bid: { readonly key: string; readonly level: Level } | undefined;
  return (fields, sink) => {
    const [received, px, sz, side, exchange] = fields;
    const key = `${received} ${exchange}`;
    const waiting = bid;
    bid = undefined;
    if (side === 'bid') {
      if (waiting !== undefined)
        sink.element(() => {
          throw new Refused('side: a bid without its ask before it');
        });
      sink.element(() => {
        bid = { key, level: { price: field.price(px, 'price'), size: field.size(sz, 'size'), orders: null } };
        return [];
      });
      return;
    }
    sink.element(() => {
      if (side !== 'ask') throw new Refused('side: not bid or ask');
      if (waiting?.key !== key) throw new Refused('side: an ask without its bid');
      const ask = { price: field.price(px, 'price'), size: field.size(sz, 'size'), orders: null };
      return quoteOf(coin, field.millis(exchange, 'exchange_timestamp'), field.seconds(received, 'timestamp'), {
        bid: waiting.level,
        ask,
      });
    });
  };
}

export function tradeRow(coin: string): (fields: readonly string[], sink: Sink) => void {
  return (fields, sink) =>
    sink.element((): Item => {
      const [received, px, sz, side, trade, exchange] = fields;
      const price = field.price(px, 'price');
      const size = field.size(sz, 'size');
      return {
        table: 'prints',
        row: {
          time: field.millis(exchange, 'exchange_timestamp'),
          receivedAt: field.seconds(received, 'timestamp'),
          coin,
          side: field.oneOf(side, { buy: 'BUY', sell: 'SELL' } as const, 'side'),
          price,
          size,
          usd: field.notional(price, size),
          buyer: null,
          seller: null,
          tradeId: field.wholeNumber(trade, 'trade_id'),
          transaction: null,
        },
      };
    });
}
