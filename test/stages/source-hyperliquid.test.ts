import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import run from '../../src/stages/run/source-hyperliquid.ts';
import definition from '../../src/stages/source-hyperliquid.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const A = `0x${'a1'.repeat(20)}`;
const B = `0x${'b2'.repeat(20)}`;
const hashOf = (digit: string): string => `0x${digit.repeat(64)}`;
/** 1 March 2025, in milliseconds. */
const T0 = 1_740_787_200_000;

interface Wanted {
  readonly format: string;
  readonly text: string | Uint8Array;
  readonly name?: string;
  readonly more?: object;
}

async function importOf(wanted: readonly Wanted[], more: object = {}): Promise<StageResult> {
  const folder = await temporaryFolder();
  const files = [];
  for (const [i, one] of wanted.entries()) {
    const file = path.join(folder, one.name ?? `${i}-${one.format}`);
    await writeFile(file, one.text);
    files.push({ format: one.format, file, ...one.more });
  }
  return runStage(definition, run, { params: { files, ...more } });
}

const rowsOf = async (result: StageResult, table: string) => (await readParquet(result.path(table))).rows;

/** A line of the recorder, received `delay` ms after T0. */
const recorded = (delay: number, data: unknown): string =>
  `${JSON.stringify({ timestamp: new Date(T0 + delay).toISOString(), unix_timestamp: (T0 + delay) / 1000, data })}\n`;
const raw = (delay: number, channel: string, data: unknown): string =>
  `${BigInt(T0 + delay) * 1_000_000n} ${JSON.stringify({ channel, data })}\n`;

const trade = (delay: number, more: object = {}): Record<string, unknown> => ({
  coin: 'BTC',
  side: 'B',
  px: '85000.5',
  sz: '0.00013',
  time: T0 + delay,
  hash: hashOf('c'),
  tid: 1000 + delay,
  users: [A.toUpperCase().replace('0X', '0x'), B],
  ...more,
});
const candle = (minute: number, close: string, more: object = {}): object => ({
  t: T0 + minute * 60_000,
  T: T0 + minute * 60_000 + 59_999,
  s: 'BTC',
  i: '1m',
  o: '100',
  c: close,
  h: '110',
  l: '90',
  v: '3495670.8399999999',
  n: 3,
  ...more,
});
const level = (px: string, sz: string): object => ({ px, sz, n: 2 });
const accountHeader =
  'Account,Coin,Execution Price,Size Tokens,Size USD,Side,Timestamp IST,Start Position,Direction,Closed PnL,Transaction Hash,Order ID,Crossed,Fee,Trade ID,Timestamp';
const accountLine = (more: Partial<Record<string, string>> = {}): string => {
  const values: Record<string, string> = {
    Account: A,
    Coin: '@107',
    'Execution Price': '7.9769',
    'Size Tokens': '986.87',
    'Size USD': '7872.16',
    Side: 'BUY',
    'Timestamp IST': '02-12-2024 4:50',
    'Start Position': '0',
    Direction: 'Buy',
    'Closed PnL': '0',
    'Transaction Hash': hashOf('e'),
    'Order ID': '52017706630',
    Crossed: 'TRUE',
    Fee: '0.34540448',
    'Trade ID': '8.95E+14',
    Timestamp: '1.73E+12',
    ...more,
  };
  return accountHeader
    .split(',')
    .map((name) => values[name])
    .join(',');
};

describe('source.hyperliquid', () => {
  it('makes a print and two fills of a match, the taker by its side, with exact dollars and times', async () => {
    const result = await importOf([
      { format: 'recorded-jsonl', text: recorded(40, [trade(0), trade(7, { side: 'A', sz: '2' })]) },
    ]);
    const fills = await rowsOf(result, 'fills');
    expect(fills).toHaveLength(4);
    expect(fills[0]).toMatchObject({
      seq: 0n,
      coin: 'BTC',
      wallet: A,
      counterparty: B,
      side: 'BUY',
      role: 'taker',
      price: 85000.5,
      size: 0.00013,
      // 11.050065 exactly.
      usd: 11.050065,
      startPosition: null,
      closedPnlUsd: null,
      feeUsd: null,
      tradeId: '1000',
      time: new Date(T0),
      receivedAt: new Date(T0 + 40),
      knowableAt: new Date(T0 + 40),
    });
    expect(fills[1]).toMatchObject({ wallet: B, side: 'SELL', role: 'maker' });
    expect(fills.slice(2).map(({ wallet, role }) => [wallet, role])).toEqual([
      [A, 'maker'],
      [B, 'taker'],
    ]);
    expect(await rowsOf(result, 'prints')).toMatchObject([
      { side: 'BUY', buyer: A, seller: B },
      { side: 'SELL', size: 2 },
    ]);
    const { scalars } = await result.metrics();
    expect(scalars).toMatchObject({ records: 2, rejected: 0, 'rows.fills': 4, 'rows.prints': 2, 'fills.wallets': 2 });
  });

  it('reads quotes with an empty side, books level by level, and when they were received', async () => {
    const result = await importOf([
      {
        format: 'recorded-jsonl',
        text: recorded(500, { coin: 'ETH', time: T0, bbo: [level('10', '1'), null] }),
      },
      {
        format: 'websocket-log',
        text:
          raw(0, 'subscriptionResponse', { method: 'subscribe' }) +
          raw(900, 'l2Book', {
            coin: 'ETH',
            time: T0 + 1,
            levels: [[level('10', '1'), level('9.5', '3')], [level('11', '2')]],
          }),
      },
    ]);
    expect(await rowsOf(result, 'quotes')).toMatchObject([
      { coin: 'ETH', bid: 10, bidSize: 1, ask: null, askSize: null, knowableAt: new Date(T0 + 500) },
    ]);
    expect(
      (await rowsOf(result, 'books')).map(({ side, level, price, size, orders }) => [side, level, price, size, orders]),
    ).toEqual([
      ['ASK', 0, 11, 2, 2],
      ['BID', 0, 10, 1, 2],
      ['BID', 1, 9.5, 3, 2],
    ]);
    const { quality } = await result.metrics();
    expect(quality?.[1]?.facts).toEqual([{ label: 'Messages without data: subscriptionResponse', value: 1 }]);
  });

  it('takes a candle of updates as complete only when a later one has begun, and knows it only then', async () => {
    const result = await importOf([
      {
        format: 'websocket-log',
        text: [
          raw(10_000, 'candle', candle(0, '101')),
          raw(59_000, 'candle', candle(0, '102')),
          // After its end, but another may follow.
          raw(60_100, 'candle', candle(0, '103')),
          raw(60_200, 'candle', candle(0, '104')),
          raw(75_000, 'candle', candle(1, '105')),
          // Too late: it had been taken as complete.
          raw(80_000, 'candle', candle(0, '106')),
          raw(90_000, 'candle', candle(2, '90', { s: 'ETH' })),
        ].join(''),
      },
    ]);
    expect(await rowsOf(result, 'candles')).toMatchObject([
      { coin: 'BTC', interval: '1m', close: 104, time: new Date(T0), knowableAt: new Date(T0 + 75_000), trades: 3 },
    ]);
    expect((await result.metrics()).scalars).toMatchObject({ 'candles.forming': 2, 'candles.updatesReplaced': 4 });
  });

  it("takes a recorder's candles as complete; the same again is repeated, another content is refused", async () => {
    const text = [candle(0, '101'), candle(1, '102'), candle(0, '101'), candle(1, '103')]
      .map((one, i) => recorded(120_000 + i, one))
      .join('');
    const result = await importOf([{ format: 'recorded-jsonl', text, name: 'candles.jsonl' }], { maxRejected: 0.5 });
    expect((await rowsOf(result, 'candles')).map(({ close }) => close)).toEqual([101, 102]);
    const [quality] = (await result.metrics()).quality ?? [];
    expect(quality).toMatchObject({ rowsRead: 4, rowsKept: 2, duplicates: { count: 1 } });
    expect(quality?.rejected).toEqual([
      { reason: 'candles: another content than an earlier row of the same key', count: 1, first: 'candles.jsonl:4' },
    ]);
  });

  it('times a transaction by its recorded block, never by a number', async () => {
    const transaction = (block: number, more: object = {}): object => ({
      blockNumber: `0x${block.toString(16)}`,
      transactionIndex: '0x1',
      hash: hashOf(String(block)),
      from: A,
      to: B,
      value: '0xde0b6b3a7640001',
      input: '0x',
      ...more,
    });
    const result = await importOf([
      {
        format: 'recorded-jsonl',
        text: recorded(5, {
          number: '0x7',
          hash: hashOf('7'),
          parentHash: hashOf('6'),
          timestamp: `0x${(T0 / 1000).toString(16)}`,
        }),
      },
      {
        format: 'recorded-jsonl',
        text: recorded(6, transaction(7)) + recorded(7, transaction(8, { to: null, input: '0xabcd' })),
      },
    ]);
    const [known, unknown] = await rowsOf(result, 'transactions');
    expect(known).toMatchObject({ block: 7n, time: new Date(T0), wallet: A, recipient: B, callsContract: false });
    expect(known?.['valueHype']).toBeCloseTo(1, 12);
    expect(unknown).toMatchObject({
      block: 8n,
      time: null,
      recipient: null,
      callsContract: true,
      knowableAt: new Date(T0 + 7),
    });
    expect(await rowsOf(result, 'blocks')).toMatchObject([{ block: 7n, time: new Date(T0), transactions: null }]);
  });

  it('reads minutes on a clock of another zone, and fees of purchases on spot in the coin', async () => {
    const text = `${[accountHeader, accountLine(), accountLine({ Coin: 'ETH', Direction: 'Open Long', Crossed: 'FALSE', 'Trade ID': '895000000000123' })].join('\n')}\n`;
    const result = await importOf([{ format: 'account-csv', text, more: { utcOffset: '+05:30' } }]);
    const [spot, perpetual] = await rowsOf(result, 'fills');
    expect(spot).toMatchObject({
      time: new Date('2024-12-01T23:20:00Z'),
      timeResolutionMs: 60_000,
      receivedAt: null,
      role: 'taker',
      // 986.87 x 7.9769 = 7872.163303
      usd: 7872.163303,
      fee: 0.34540448,
      feeToken: '@107',
      // 0.34540448 x 7.9769 = 2.755256996...
      feeUsd: 2.755257,
      tradeId: null,
    });
    expect(((spot as Record<string, unknown>)['knowableAt'] as Date).toISOString()).toBe('2024-12-01T23:20:59.999Z');
    expect(perpetual).toMatchObject({ role: 'maker', feeToken: 'USDC', feeUsd: 0.345404, tradeId: '895000000000123' });
  });

  it('tells the same fill in the feed and in the account, and keeps the one that says more', async () => {
    const fill = {
      closedPnl: '-1.5',
      coin: 'BTC',
      crossed: true,
      dir: 'Close Short',
      hash: hashOf('c'),
      oid: 90542681,
      px: '85000.5',
      side: 'B',
      startPosition: '-0.5',
      sz: '0.00013',
      time: T0,
      fee: '0.01',
      feeToken: 'USDC',
      tid: 1000,
    };
    const wanted = [
      { format: 'recorded-jsonl', text: recorded(40, [trade(0)]) + recorded(50, [trade(0)]) },
      { format: 'user-fills', text: JSON.stringify([fill], null, 2), more: { wallet: A } },
    ];
    const dropped = await importOf(wanted);
    expect(await rowsOf(dropped, 'fills')).toMatchObject([
      { wallet: B, startPosition: null },
      {
        wallet: A,
        role: 'taker',
        direction: 'Close Short',
        startPosition: -0.5,
        closedPnlUsd: -1.5,
        orderId: '90542681',
      },
    ]);
    expect((await dropped.metrics()).scalars).toMatchObject({ records: 3, duplicates: 1, 'rows.prints': 1 });
    const kept = await importOf(wanted, { duplicates: 'keep' });
    expect(await rowsOf(kept, 'fills')).toHaveLength(5);
  });

  it('counts and names what it refuses, with the first line of each reason', async () => {
    const lines = [
      recorded(1, [trade(0)]),
      recorded(2, [trade(1, { sz: '-1' }), trade(2)]),
      // Seconds and microseconds among milliseconds.
      recorded(3, [trade(0, { time: T0 / 1000 })]),
      recorded(4, [trade(0, { time: T0 * 1000 })]),
      recorded(5, [trade(0, { sz: '-0.1' })]),
      recorded(6, { coin: 'BTC', time: T0, bbo: [level('11', '1'), level('11', '1')] }),
      recorded(7, [trade(0, { users: [A] })]),
      recorded(8, [trade(0, { px: 85000.5 })]),
      recorded(9, [trade(0, { px: '1.123456789' })]),
      recorded(10, { unknown: true }),
      `${JSON.stringify({ timestamp: '2025-03-01T00:00:00', unix_timestamp: T0 / 1000, data: [trade(0)] })}\n`,
      `${JSON.stringify({ timestamp: '2025-02-28T18:30:00Z', unix_timestamp: T0 / 1000, data: [trade(0)] })}\n`,
      recorded(11, candle(0, '120')),
      recorded(12, { coin: 'BTC', time: T0, levels: [[level('9', '1'), level('10', '1')], []] }),
      recorded(13, [trade(0)]).slice(0, 60),
    ];
    const result = await importOf([{ format: 'recorded-jsonl', text: lines.join(''), name: 'feed.jsonl' }], {
      maxRejected: 1,
    });
    const [quality] = (await result.metrics()).quality ?? [];
    expect(quality?.rowsRead).toBe(16);
    expect(quality?.rowsKept).toBe(2);
    expect(
      Object.fromEntries((quality?.rejected ?? []).map(({ reason, count, first }) => [reason, `${count} ${first}`])),
    ).toEqual({
      'sz: negative': '2 feed.jsonl:2',
      'time: not milliseconds since 1970': '2 feed.jsonl:3',
      'bid: not below the ask': '1 feed.jsonl:6',
      'users: not two addresses': '1 feed.jsonl:7',
      'px: missing or not text': '1 feed.jsonl:8',
      'px: more than eight decimals': '1 feed.jsonl:9',
      'data: of no known kind': '1 feed.jsonl:10',
      'timestamp: not a time in UTC': '1 feed.jsonl:11',
      'timestamp: another moment than unix_timestamp': '1 feed.jsonl:12',
      'o, h, l, c: open or close outside of low and high': '1 feed.jsonl:13',
      'levels: not in the order of prices': '1 feed.jsonl:14',
      'line: cut at the end of the file': '1 feed.jsonl:15',
    });
    expect((await result.figures()).some(({ id }) => id === 'rejected-rows')).toBe(true);
  });

  it('stops beyond maxRejected, at a change of schema, another header, a cut archive, an empty or missing file', async () => {
    const bad = recorded(0, [trade(0, { sz: '0' })]) + recorded(1, [trade(1)]);
    await expect(importOf([{ format: 'recorded-jsonl', text: bad }])).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(
        '1 of 2 records are refused (50 %, allowed 0.1 %), most often, 1 times: sz: zero',
      ),
      at: { line: 1 },
    });
    const account = (text: string) => importOf([{ format: 'account-csv', text, more: { utcOffset: '+05:30' } }]);
    await expect(account(`${accountHeader}\n${accountLine()}\n${accountLine()},1\n`)).rejects.toMatchObject({
      message: '17 fields where the header has 16',
      at: { line: 3 },
    });
    await expect(account(`${accountHeader.replace('Fee', 'Fees')}\n${accountLine()}\n`)).rejects.toMatchObject({
      message: expect.stringContaining('no column Fee'),
      at: { line: 1 },
    });
    await expect(account(`${accountHeader}\n`)).rejects.toMatchObject({ message: 'the file holds no record' });
    const packed = gzipSync(Array.from({ length: 500 }, (_, i) => recorded(i, [trade(i)])).join(''));
    const cut = packed.subarray(0, packed.length / 2);
    await expect(importOf([{ format: 'recorded-jsonl', text: cut, name: 'feed.jsonl.gz' }])).rejects.toMatchObject({
      message: expect.stringContaining('the gzip stream is cut or damaged'),
    });
    const whole = await importOf([{ format: 'recorded-jsonl', text: packed, name: 'feed.jsonl.gz' }]);
    expect((await whole.metrics()).scalars['rows.prints']).toBe(500);
    await expect(importOf([{ format: 'recorded-jsonl', text: '' }])).rejects.toMatchObject({
      message: 'the file is empty',
    });
    await expect(
      importOf([{ format: 'user-fills', text: '[{"coin": "BTC"', more: { wallet: A } }]),
    ).rejects.toMatchObject({ message: 'not whole JSON' });
  });

  it('gives the same bytes with any number of threads and wherever the files lie', async () => {
    const text = Array.from({ length: 3000 }, (_, i) =>
      recorded(i * 10, [trade((i * 7919) % 30_000, { tid: i })]),
    ).join('');
    const one = await importOf([{ format: 'recorded-jsonl', text, name: 'feed.jsonl' }]);
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'feed.jsonl'), text);
    const params = { files: [{ format: 'recorded-jsonl', file: path.join(folder, 'feed.jsonl') }] };
    const other = await runStage(definition, run, { params, threads: 1 });
    for (const port of ['fills', 'prints', 'metrics', 'figures'])
      expect(Buffer.compare(await one.bytes(port), await other.bytes(port)), port).toBe(0);
  });

  it('wants to be told the zone', () => {
    expect(definition.params.safeParse({ files: [{ format: 'account-csv', file: 'x' }] }).success).toBe(false);
  });
});

describe.skipIf(shared === undefined)(`source.hyperliquid on recorded data: ${whyNoShared}`, () => {
  const file = (name: string): string => sharedFile('data/hyperliquid', name);

  it('reads the fills of two accounts; every position follows from the fill before it', async () => {
    const result = await runStage(definition, run, {
      params: { files: [{ format: 'account-csv', file: file('account-fills.csv'), utcOffset: '+05:30' }] },
    });
    const lines = (await readFile(file('account-fills.csv'), 'utf8')).trim().split(/\r?\n/).slice(1);
    const { scalars, quality } = await result.metrics();
    expect(quality?.[0]).toMatchObject({ rowsRead: 1963, rowsKept: 1963, rejected: [], duplicates: { count: 0 } });
    expect(lines).toHaveLength(1963);
    const fields = lines.map((line) => line.split(','));
    expect(scalars['fills.wallets']).toBe(2);
    expect(scalars['fills.coins']).toBe(new Set(fields.map(([, coin]) => coin)).size);
    // The spreadsheet rounds dollars to cents.
    const usd = fields.reduce((sum, one) => sum + Number(one[4]), 0);
    expect(Math.abs((scalars['fills.usd'] as number) - usd)).toBeLessThan(0.005 * 1963);
    // Overlooking fees in the coin, as the recording's own notes do, leaves about 2 % of the steps open.
    expect(scalars).toMatchObject({ 'positionChain.pairs': 1956, 'positionChain.held': 1956 });
    expect((scalars['positionChain.heldWithoutFees'] as number) / 1956).toBeCloseTo(0.98, 2);
  });

  it('reads the captures and the raw messages', async () => {
    const result = await runStage(definition, run, {
      params: {
        files: [
          { format: 'capture-books', file: file('orderbooks-BTC-2025-09-03.csv'), coin: 'BTC' },
          { format: 'capture-quotes', file: file('prices-BTC-2025-09-03.csv'), coin: 'BTC' },
          { format: 'capture-trades', file: file('trades-BTC-2025-09-03.csv'), coin: 'BTC' },
          { format: 'websocket-log', file: file('ws-recorded-lines.log') },
        ],
      },
    });
    const trades = (await readFile(file('trades-BTC-2025-09-03.csv'), 'utf8')).trim().split(/\r?\n/).slice(1);
    const matches = new Set(trades.map((line) => line.split(',').slice(1).join())).size;
    const { scalars } = await result.metrics();
    expect(scalars).toMatchObject({
      records: 446 + 3586 + 1497 + 8,
      rejected: 0,
      'rows.quotes': 3586 / 2,
      'rows.prints': matches + 1,
      'rows.fills': 2,
      'rows.candles': 1,
      'candles.forming': 1,
    });
    const coverage = (await result.figures()).find(({ id }) => id === 'recorded-coverage');
    expect(coverage?.title).toMatch(/^The (quotes|books) of a coin stand still for up to 250 seconds$/);
  });

  it('reads raw messages to which a wrong one was added', async () => {
    const folder = await temporaryFolder();
    const copy = path.join(folder, 'messages.log');
    await writeFile(copy, await readFile(file('ws-recorded-lines.log')));
    await appendFile(copy, '1742428800 {"channel":"bbo","data":{}}\n');
    const params = { files: [{ format: 'websocket-log', file: copy }], maxRejected: 0.2 };
    const [quality] = (await (await runStage(definition, run, { params })).metrics()).quality ?? [];
    expect(quality?.rejected).toEqual([
      { reason: 'receipt: not nanoseconds since 1970', count: 1, first: 'messages.log:9' },
    ]);
  });
});
