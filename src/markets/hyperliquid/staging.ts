/** Rows on their way into DuckDB: one text file a table, tab-separated, written as the recordings are read. */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { quote } from '../../tables/duck.ts';
import type { PerpetualTable } from './canonical.ts';
import { PRICE, SIZE } from './canonical.ts';
import type { Item, Level, Spot, TransactionRecord } from './records.ts';

const text = 'VARCHAR';
const micros = 'BIGINT';
const usd = 'DECIMAL(18, 6)';

/** Columns of the staged rows and their SQL types; times are microseconds. `file`, `line`, `item` follow. */
export const stagedColumns = {
  fills: {
    time: micros,
    timeResolutionMs: 'INTEGER',
    receivedAt: micros,
    coin: text,
    wallet: text,
    counterparty: text,
    role: text,
    side: text,
    direction: text,
    price: PRICE,
    size: SIZE,
    usd,
    startPosition: SIZE,
    closedPnlUsd: usd,
    fee: SIZE,
    feeToken: text,
    feeUsd: usd,
    orderId: text,
    tradeId: text,
    transaction: text,
  },
  prints: {
    time: micros,
    receivedAt: micros,
    coin: text,
    side: text,
    price: PRICE,
    size: SIZE,
    usd,
    buyer: text,
    seller: text,
    tradeId: text,
    transaction: text,
  },
  quotes: { coin: text, time: micros, receivedAt: micros, bid: PRICE, bidSize: SIZE, ask: PRICE, askSize: SIZE },
  /** A side is its levels from the best on, `price:size:orders`, with blanks between them. */
  books: { coin: text, time: micros, receivedAt: micros, bids: text, asks: text },
  candles: {
    coin: text,
    interval: text,
    time: micros,
    closesAt: micros,
    receivedAt: micros,
    complete: 'BOOLEAN',
    open: PRICE,
    high: PRICE,
    low: PRICE,
    close: PRICE,
    volume: 'DOUBLE',
    trades: 'INTEGER',
  },
  blocks: { block: micros, time: micros, receivedAt: micros, hash: text, transactions: 'INTEGER' },
  transactions: {
    block: micros,
    place: 'INTEGER',
    receivedAt: micros,
    transaction: text,
    wallet: text,
    recipient: text,
    valueHype: 'DECIMAL(38, 18)',
    callsContract: 'BOOLEAN',
  },
} as const satisfies Record<PerpetualTable, Record<string, string>>;

const NULL = '\\N';
const tables = Object.keys(stagedColumns) as PerpetualTable[];
const names = new Map(tables.map((table) => [table, Object.keys(stagedColumns[table])]));

export interface Staging {
  add(item: Item, spot: Spot): void;
  /** Writes what was added since; call it often enough that it fits into memory. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** SQL that reads the staged rows of a table. */
  relation(table: PerpetualTable): string;
}

export async function openStaging(folder: string): Promise<Staging> {
  const fileOf = (table: PerpetualTable): string => path.join(folder, `${table}.tsv`);
  const handles = new Map<PerpetualTable, FileHandle>();
  const waiting = new Map<PerpetualTable, string[]>();
  for (const table of tables) {
    handles.set(table, await open(fileOf(table), 'w'));
    waiting.set(table, []);
  }
  const put = (table: PerpetualTable, row: Readonly<Record<string, unknown>>, { file, line, item }: Spot): void => {
    let written = '';
    for (const name of names.get(table) as string[]) written += `${row[name] ?? NULL}\t`;
    (waiting.get(table) as string[]).push(`${written}${file}\t${line}\t${item}\n`);
  };
  const flush = async (): Promise<void> => {
    for (const [table, rows] of waiting) {
      if (rows.length === 0) continue;
      await (handles.get(table) as FileHandle).write(rows.join(''));
      waiting.set(table, []);
    }
  };
  return {
    add: ({ table, row }, spot) => {
      if (table === 'books') put(table, { ...row, bids: sideOf(row.bids), asks: sideOf(row.asks) }, spot);
      else if (table === 'transactions') put(table, { ...row, valueHype: hypeOf(row) }, spot);
      else put(table, row as unknown as Record<string, unknown>, spot);
    },
    flush,
    close: async () => {
      await flush();
      for (const handle of handles.values()) await handle.close();
    },
    relation: (table) => {
      const columns = Object.entries({ ...stagedColumns[table], file: 'INTEGER', line: 'BIGINT', item: 'INTEGER' });
      const types = columns.map(([name, type]) => `${quote(name)}: ${quote(type)}`).join(', ');
      return `read_csv(${quote(fileOf(table))}, header = false, auto_detect = false, delim = '\t', quote = '',
        escape = '', nullstr = ${quote(NULL)}, columns = {${types}})`;
    },
  };
}

/** Null for a side without levels: an empty text would be one level without a price. */
function sideOf(levels: readonly Level[]): string | null {
  return levels.length === 0
    ? null
    : levels.map(({ price, size, orders }) => `${price}:${size}:${orders ?? ''}`).join(' ');
}

function hypeOf({ valueWei }: TransactionRecord): string {
  const digits = valueWei.padStart(19, '0');
  return `${digits.slice(0, -18)}.${digits.slice(-18)}`;
}
