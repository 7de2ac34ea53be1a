import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { FathomError, formatError } from '../../src/errors.ts';
import run from '../../src/stages/run/source-polymarket.ts';
import definition from '../../src/stages/source-polymarket.ts';
import { openDuck, quote } from '../../src/tables/duck.ts';
import { shared, sharedFile } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const zone = 'America/New_York';
const wallet = (n: number): string => `0x${n.toString(16).padStart(40, 'A')}`;
const hash = (n: number): string => `0x${n.toString(16).padStart(64, 'c')}`;
const token = (n: number): string => `${'7'.repeat(77)}${n}`;
const exchange = '0xC5d563A36AE78145C45a50134d48A1215220f80a';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

let files = 0;
async function file(text: string | Uint8Array, extension = '.csv'): Promise<string> {
  const name = path.join(folder, `${files++}${extension}`);
  await writeFile(name, text);
  return name;
}

async function rowsOf(result: StageResult, port: string): Promise<Record<string, unknown>[]> {
  const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: folder });
  const order = port === 'trades' ? 'seq' : 'market';
  const rows = await duck.rows<Record<string, unknown>>(
    `SELECT * REPLACE (${port === 'trades' ? 'usd::VARCHAR AS usd, shares::VARCHAR AS shares, ' : ''}market AS market)
     FROM read_parquet(${quote(result.path(port))}) ORDER BY ${order}`,
  );
  duck.close();
  return rows;
}

async function failure(params: unknown): Promise<FathomError> {
  const error = await runStage(definition, run, { params }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FathomError);
  return error as FathomError;
}

const quality = async (result: StageResult, i = 0) => {
  const found = (await result.metrics()).quality?.[i];
  if (found === undefined) throw new Error('no quality');
  return found;
};

/** Each reason of `reasons` is counted as often as it stands there, and first seen where it first stands. */
function expectReasons(
  rejected: readonly { reason: string; count: number; first: string }[],
  reasons: readonly string[],
  place: (i: number) => string,
): void {
  const expected = [...new Set(reasons)].map((reason) => ({
    reason,
    count: reasons.filter((other) => other === reason).length,
    first: place(reasons.indexOf(reason)),
  }));
  const byReason = (a: { reason: string }, b: { reason: string }): number => (a.reason < b.reason ? -1 : 1);
  expect([...rejected].sort(byReason)).toEqual(expected.sort(byReason));
}

describe('data-api-csv', () => {
  const header = 'timestamp,title,size,price,side,asset,conditionId,proxyWallet,outcome';
  interface Row {
    time?: string;
    title?: string;
    size?: string;
    price?: string;
    side?: string;
    token?: string;
    market?: string;
    wallet?: string;
    outcome?: string;
  }
  const line = (row: Row = {}): string =>
    [
      row.time ?? '2026-01-08 12:00:00',
      row.title ?? '"Lakers vs Celtics, ""the"" game"',
      row.size ?? '10.0',
      row.price ?? '0.5',
      row.side ?? 'BUY',
      row.token ?? token(0),
      row.market ?? hash(1),
      row.wallet ?? wallet(1),
      row.outcome ?? 'Yes',
    ].join(',');
  const csv = (lines: readonly string[], lineBreak = '\n'): string =>
    [header, ...lines].map((text) => text + lineBreak).join('');
  const params = (trades: string, more: object = {}) => ({ format: 'data-api-csv', trades, timeZone: zone, ...more });

  it('reads fills in order of time, converts times, and rounds cash once', async () => {
    const trades = await file(
      csv([
        line({ time: '2026-07-08 12:00:01', price: '0.10999998151999942', size: '3' }),
        line({ time: '2026-01-08 12:00:00', side: 'SELL', outcome: 'No', token: token(1) }),
        line({
          time: '2026-01-08 12:00:00',
          wallet: wallet(2),
          title: 'Will it rain?',
          market: hash(2),
          token: token(2),
        }),
      ]),
    );
    const result = await runStage(definition, run, { params: params(trades) });
    const rows = await rowsOf(result, 'trades');
    expect(rows.map((row) => row['wallet'])).toEqual([wallet(1), wallet(2), wallet(1)].map((w) => w.toLowerCase()));
    expect(rows[0]).toMatchObject({
      seq: 0n,
      time: new Date('2026-01-08T17:00:00Z'),
      market: hash(1),
      event: hash(1),
      token: token(1),
      outcome: 'No',
      outcomeIndex: 1,
      side: 'SELL',
      price: 0.5,
      usd: '5.000000',
      shares: '10.000000',
      role: null,
      counterparty: null,
      fee: null,
      transaction: null,
    });
    expect(rows[2]).toMatchObject({ time: new Date('2026-07-08T16:00:01Z'), usd: '0.330000', shares: '3.000000' });
    expect(await rowsOf(result, 'markets')).toMatchObject([
      { market: hash(1), category: 'sports', outcome0: 'Yes', outcome1: 'No', token0: token(0), token1: token(1) },
      { market: hash(2), category: 'other', question: 'Will it rain?', outcome1: null, token1: null, closedAt: null },
    ]);
    expect(await quality(result)).toMatchObject({ rowsRead: 3, rowsKept: 3, rejected: [] });
  });

  it('reads CRLF, a byte-order mark, blank lines and gzip alike', async () => {
    const lines = [line(), line({ time: '2026-01-08 12:00:05' })];
    const results = await Promise.all(
      [
        await file(csv(lines)),
        await file(csv(lines, '\r\n')),
        await file(`\uFEFF${csv(lines)}`),
        await file(`${csv(lines)}\n\n`),
        await file(csv(lines).trimEnd()),
        await file(gzipSync(csv(lines)), '.csv.gz'),
      ].map((trades) => runStage(definition, run, { params: params(trades) })),
    );
    const [first, ...others] = await Promise.all(results.map((result) => result.bytes('trades')));
    for (const other of others) expect(Buffer.compare(other, first as Uint8Array)).toBe(0);
    // Only the file without a last line break is suspicious.
    const cut = await Promise.all(
      results.map(async (r) => (await r.metrics()).notes?.some((n) => n.includes('line break'))),
    );
    expect(cut).toEqual([false, false, false, false, true, false]);
  });

  const bad: readonly [string, Row | string][] = [
    ['timestamp: not a time of the format', { time: '1767873600' }],
    ['timestamp: not a time of the format', { time: '2026-01-08T12:00:00Z' }],
    ['timestamp: not a time of the format', { time: '2026-02-30 12:00:00' }],
    ['timestamp: not a time of the format', { time: '' }],
    ['timestamp: the clocks of the time zone skip it', { time: '2026-03-08 02:30:00' }],
    ['size: not finite', { size: 'NaN' }],
    ['size: not a number', { size: 'ten' }],
    ['size: not a number', { size: '' }],
    ['size: negative', { size: '-5' }],
    ['size: zero', { size: '0.0' }],
    ['size: more than six decimals or too large', { size: '0.1234567' }],
    ['price: not finite', { price: 'inf' }],
    ['price: not a number', { price: '50c' }],
    ['price: outside [0, 1]', { price: '1.01' }],
    ['price: more than 19 decimals', { price: '0.12345678901234567891' }],
    ['side: not BUY or SELL', { side: 'buy' }],
    ['asset: not a token id', { token: '1'.repeat(79) }],
    ['asset: not a token id', { token: '7.35521866e+76' }],
    ['conditionId: not a hash', { market: '0x12' }],
    ['proxyWallet: not an address', { wallet: '0x12' }],
    ['outcome: empty', { outcome: '' }],
    ['title: empty', { title: '' }],
    ['wrong number of columns', `${line()},extra`],
    ['wrong number of columns', 'a,b,c'],
  ];

  it('refuses each kind of bad row and counts it under its reason', async () => {
    const trades = await file(
      csv([line(), ...bad.map(([, row]) => (typeof row === 'string' ? row : line(row))), line()]),
    );
    const result = await runStage(definition, run, { params: params(trades, { maxRejected: 0.99 }) });
    const found = await quality(result);
    expect(found).toMatchObject({ rowsRead: bad.length + 2, rowsKept: 2 });
    expect((await rowsOf(result, 'trades')).length).toBe(2);
    expectReasons(
      found.rejected,
      bad.map(([reason]) => reason),
      (i) => `${path.basename(trades)}:${i + 3}`,
    );
  });

  it('counts every reason with the line of its first row, after lines of any kind', async () => {
    const title = '"two\nlines"';
    const trades = await file(
      csv([
        line({ title }), // lines 2 and 3
        'short', // 4
        '', // 5
        line({ size: 'NaN' }), // 6
        line(), // 7
        line({ side: 'sell' }), // 8
        line({ size: 'NaN' }), // 9
        'a,b', // 10
      ]),
    );
    const result = await runStage(definition, run, { params: params(trades, { maxRejected: 0.9 }) });
    const found = await quality(result);
    expect(found.rowsRead).toBe(7);
    expect(found.rejected).toEqual([
      { reason: 'size: not finite', count: 2, first: `${path.basename(trades)}:6` },
      { reason: 'wrong number of columns', count: 2, first: `${path.basename(trades)}:4` },
      { reason: 'side: not BUY or SELL', count: 1, first: `${path.basename(trades)}:8` },
    ]);
    const bars = (await result.figures()).find((figure) => figure.id === 'rejected-rows');
    expect(bars?.kind === 'bars' && bars.bars.map((bar) => bar.value)).toEqual([2, 2, 1]);
  });

  it('stops with one error once too many rows are refused', async () => {
    const trades = await file(csv([line(), line({ size: '-1' }), line({ side: 'x' }), line({ side: 'y' })]));
    const error = await failure(params(trades));
    expect(formatError(error)).toBe(
      `${trades}:4: 3 of 4 rows are refused (75 %, allowed 0.1 %), most often, 2 times: side: not BUY or SELL\n` +
        '  Mend the file, or raise maxRejected if the rest of it may be trusted.',
    );
    expect(error.exitCode).toBe(2);
  });

  it('keeps a price of 0 and of 1: cash of dust rounds to them', async () => {
    const trades = await file(csv([line({ price: '0' }), line({ price: '1.0' }), line({ price: '1e-7', size: '1' })]));
    const rows = await rowsOf(await runStage(definition, run, { params: params(trades) }), 'trades');
    expect(rows.map((row) => row['usd'])).toEqual(['0.000000', '10.000000', '0.000000']);
  });

  it('keeps or drops exact duplicates and tells the totals of both', async () => {
    const trades = await file(
      csv([line(), line(), line({ wallet: wallet(2) }), line(), line({ time: '2026-01-08 13:00:00', price: '0.8' })]),
    );
    const keep = await runStage(definition, run, { params: params(trades) });
    const drop = await runStage(definition, run, { params: params(trades, { duplicates: 'drop-exact' }) });
    expect(await quality(keep)).toMatchObject({ rowsKept: 5, duplicates: { count: 2, policy: 'keep' } });
    expect(await quality(drop)).toMatchObject({ rowsKept: 3, duplicates: { count: 2, policy: 'drop-exact' } });
    const totals = [
      { label: 'Fills', keep: 5, dropExact: 3, unit: 'rows' },
      { label: 'Volume', keep: 28, dropExact: 18, unit: 'USD' },
      // 10 tokens each, bought at 0.5 and once at 0.8, marked at 0.8.
      { label: 'Profit and loss of all wallets, marked at the last price', keep: 12, dropExact: 6, unit: 'USD' },
    ];
    expect((await quality(keep)).totals).toEqual(totals);
    expect((await quality(drop)).totals).toEqual(totals);
    expect((await rowsOf(drop, 'trades')).map((row) => row['seq'])).toEqual([0n, 1n, 2n]);
  });

  it('says how many fills stand in the hour that clocks repeat', async () => {
    const trades = await file(csv([line({ time: '2025-11-02 01:30:00' }), line({ time: '2025-11-02 03:30:00' })]));
    const result = await runStage(definition, run, { params: params(trades) });
    expect((await quality(result)).facts).toContainEqual({
      label: 'Fills in an hour that clocks repeat, read as standard time',
      value: 1,
    });
    expect((await rowsOf(result, 'trades'))[0]?.['time']).toEqual(new Date('2025-11-02T06:30:00Z'));
  });

  it('stops at files that are not what they should be', async () => {
    const good = csv([line(), line()]);
    const plain = line({ title: 'Will it rain?' });
    const cases: [string, string][] = [
      [path.join(folder, 'nowhere.csv'), 'no such file'],
      [folder, 'not a file'],
      [await file(''), 'the file is empty'],
      [await file(`${header}\n`), 'a header and no rows'],
      [await file(`${line()}\n${line()}\n`), 'the header is not that of the format'],
      [await file(good.replace('timestamp,title', 'title,timestamp')), 'the columns are in another order'],
      [await file(good.replace('side', 'direction')), 'no column side; unknown column direction'],
      [await file(good.slice(0, -150)), 'the last line is cut'],
      [await file(good.slice(0, -2)), 'the last line is cut'],
      [await file(csv([plain, `"${plain}`, plain, plain])), 'a quote is opened and not closed'],
      [await file(csv([line(), line({ outcome: 'No' })])), 'the file contradicts itself'],
      [await file(gzipSync(good).subarray(0, -12), '.csv.gz'), 'the gzip stream is cut or damaged'],
      [await file(good, '.csv.gz'), 'the gzip stream is cut or damaged'],
    ];
    for (const [trades, message] of cases) {
      const error = await failure(params(trades, { maxRejected: 1 }));
      expect(error.code).toBe('data');
      expect(formatError(error)).toContain(message);
      expect(error.at?.file).toBe(trades);
    }
  });

  it('does not depend on the number of threads', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) =>
      line({
        time: `2026-01-${String(10 + (i % 9)).padStart(2, '0')} 12:00:${String(i % 60).padStart(2, '0')}`,
        size: i % 997 === 5 ? 'NaN' : `${(i % 89) + 0.25}`,
        price: `0.${(i * 7919) % 10_000}1`,
        wallet: wallet(i % 731),
      }),
    );
    const trades = await file(csv(lines));
    const results = await Promise.all(
      [1, 2].map((threads) => runStage(definition, run, { params: params(trades, { maxRejected: 0.01 }), threads })),
    );
    for (const port of ['trades', 'markets', 'metrics', 'figures']) {
      const [one, two] = await Promise.all(results.map((result) => result.bytes(port)));
      expect(Buffer.compare(one as Uint8Array, two as Uint8Array)).toBe(0);
    }
  });

  it('asks for what it must be told', () => {
    const parse = (value: unknown) => definition.params.safeParse(value);
    expect(parse({ format: 'data-api-csv', trades: 'x.csv' }).success).toBe(false);
    expect(parse({ format: 'data-api-csv', trades: 'x.csv', timeZone: 'Mars/Olympus' }).success).toBe(false);
    expect(parse({ format: 'data-api-csv', trades: 'x.csv', timeZone: zone, markets: 'm.csv' }).success).toBe(false);
    expect(parse({ format: 'poly-data-v1', trades: 'x.csv' }).success).toBe(false);
    expect(parse({ format: 'poly-data-v1', trades: 'x.csv', markets: 'm.csv', timeZone: zone }).success).toBe(false);
    const good = { format: 'poly-data-v1', trades: 'x.csv', markets: 'm.csv', resolutions: 'r.csv' };
    expect(definition.files?.(definition.params.parse(good))).toEqual(['x.csv', 'm.csv', 'r.csv']);
  });

  describe.skipIf(!shared)('the recorded day', () => {
    it('has the known rows, wallets, markets, tokens and duplicates', async () => {
      const trades = sharedFile('data', 'polymarket', 'data-api-trades-2026-01-08.csv');
      const result = await runStage(definition, run, { params: params(trades) });
      const { scalars } = await result.metrics();
      expect(scalars).toMatchObject({
        rows: 2852,
        rejected: 0,
        wallets: 686,
        markets: 18,
        tokens: 32,
        duplicates: 598,
      });
      const found = await quality(result);
      expect(found).toMatchObject({ from: '2026-01-08T09:40:07.000Z', to: '2026-01-08T23:00:36.000Z' });
      expect(found.totals?.[0]).toMatchObject({ keep: 2852, dropExact: 2254 });
      // By an independent sum in decimals: 1,583.707476 and 3,142.257130 before each fill's cash is rounded.
      expect(found.totals?.[2]?.keep).toBeCloseTo(1583.7075, 3);
      expect(found.totals?.[2]?.dropExact).toBeCloseTo(3142.2571, 3);
      const markets = await rowsOf(result, 'markets');
      expect(markets.filter((market) => market['category'] === 'crypto').length).toBe(11);
      expect(markets.filter((market) => market['category'] === 'sports').length).toBe(7);
    });
  });
});

describe('poly-data-v1', () => {
  const tradesHeader =
    'timestamp,market_id,maker,taker,nonusdc_side,maker_direction,taker_direction,price,usd_amount,token_amount,transactionHash';
  const marketsHeader =
    'createdAt,id,question,answer1,answer2,neg_risk,market_slug,token1,token2,condition_id,volume,ticker,closedTime';
  const market = (id: string, question: string, ticker: string, created = '2024-01-01T00:00:00Z'): string =>
    `${created},${id},${question},Lakers,Celtics,False,slug-${id},${token(1)},${token(2)},${hash(9)},1.5,${ticker},2024-11-06 15:00:00+00`;
  const fill = (row: Readonly<Record<string, string | undefined>> = {}): string =>
    [
      row['time'] ?? '2024-03-01T10:00:00.000000',
      row['market'] ?? '253591',
      row['maker'] ?? wallet(1),
      row['taker'] ?? wallet(2),
      row['side'] ?? 'token1',
      row['direction'] ?? 'BUY',
      (row['direction'] ?? 'BUY') === 'BUY' ? 'SELL' : 'BUY',
      row['price'] ?? '0.25',
      row['usd'] ?? '2.5',
      row['tokens'] ?? '10.0',
      row['hash'] ?? hash(3),
    ].join(',');
  const csv = (header: string, lines: readonly string[]): string => `${[header, ...lines].join('\n')}\n`;
  const markets = csv(marketsHeader, [
    market('253591', 'Lakers vs Celtics', 'nba-finals'),
    market('253592', 'Will the Senate vote?', ''),
    market('253592', 'Will the Senate vote?', ''),
    market('253593', 'No opening time', 'x', 'soon'),
  ]);
  const params = async (lines: readonly string[], more: object = {}) => ({
    format: 'poly-data-v1',
    trades: await file(csv(tradesHeader, lines)),
    markets: await file(markets),
    ...more,
  });

  it('takes markets of missing_markets.csv where they agree, and stops where they do not', async () => {
    const own = (id: string, tokens: readonly string[]): string =>
      market(id, 'Will it rain?', 'rain').replace(`${token(1)},${token(2)}`, tokens.join(','));
    const main = await file(csv(marketsHeader, [own('1', [token(1), token(2)])]));
    const missing = await file(csv(marketsHeader, [own('1', [token(1), token(2)]), own('2', [token(3), token(4)])]));
    const given = await params([fill({ market: '1' }), fill({ market: '2', side: 'token2' })], { markets: main });
    expect((await failure(given)).message).toContain('market_id: not in the markets file');
    const result = await runStage(definition, run, { params: { ...given, missingMarkets: missing } });
    expect((await rowsOf(result, 'trades')).map((row) => [row['market'], row['token']])).toEqual([
      ['1', token(1)],
      ['2', token(4)],
    ]);
    expect((await rowsOf(result, 'markets')).map((row) => row['market'])).toEqual(['1', '2']);
    const cases: [string, string][] = [
      [own('2', [token(2), token(4)]), `token ${token(2)} stands for two outcomes or markets`],
      [own('1', [token(2), token(1)]), 'market 1 has two pairs of tokens'],
      [own('1', [token(5), token(6)]), 'market 1 has two pairs of tokens'],
    ];
    for (const [line, message] of cases) {
      const missingMarkets = await file(csv(marketsHeader, [own('9', [token(7), token(8)]), line]));
      const error = await failure({ ...given, missingMarkets });
      expect(formatError(error)).toContain(`${missingMarkets}:3: `);
      expect(error.message).toContain(message);
      expect(error.message).toContain(`${main}:2`);
    }
  });

  it("takes the maker's own fill, and the exchange's summary as the taker's", async () => {
    const result = await runStage(definition, run, {
      params: await params([
        fill({ market: '253591.0' }),
        fill({ maker: wallet(2), taker: exchange, side: 'token2', price: '0.75', usd: '7.5', direction: 'SELL' }),
      ]),
    });
    const rows = await rowsOf(result, 'trades');
    const [w1, w2] = [wallet(1).toLowerCase(), wallet(2).toLowerCase()];
    expect(rows).toMatchObject([
      { wallet: w1, counterparty: w2, role: 'maker', side: 'BUY', token: token(1), outcome: 'Lakers', outcomeIndex: 0 },
      {
        wallet: w2,
        counterparty: null,
        role: 'taker',
        side: 'SELL',
        token: token(2),
        outcome: 'Celtics',
        outcomeIndex: 1,
      },
    ]);
    expect(rows[0]).toMatchObject({
      market: '253591',
      event: 'nba-finals',
      time: new Date('2024-03-01T10:00:00Z'),
      usd: '2.500000',
      price: 0.25,
      transaction: hash(3),
    });
    expect(rows.some((row) => row['wallet'] === exchange.toLowerCase())).toBe(false);
    expect((await quality(result)).facts).toContainEqual({
      label: 'Volume counted once a match (fills of takers)',
      value: 7.5,
      unit: 'USD',
    });
    const list = await rowsOf(result, 'markets');
    expect(list).toMatchObject([
      { market: '253591', event: 'nba-finals', category: 'sports', closedAt: new Date('2024-11-06T15:00:00Z') },
      { market: '253592', event: '253592', category: 'politics', createdAt: new Date('2024-01-01T00:00:00Z') },
      { market: '253593', createdAt: null },
    ]);
    expect(await quality(result, 1)).toMatchObject({ rowsRead: 4, rowsKept: 3, duplicates: { count: 1 } });
    expect((await quality(result, 1)).facts?.[0]?.value).toBe(1);
  });

  const bad: readonly [string, Record<string, string>][] = [
    ['market_id: not in the markets file', { market: '253591.6' }],
    ['market_id: not in the markets file', { market: '25359' }],
    ['market_id: not in the markets file', { market: '' }],
    ['maker: an exchange contract', { maker: exchange }],
    ['maker: not an address', { maker: '0x1' }],
    ['taker: not an address', { taker: '' }],
    ['nonusdc_side: not token1 or token2', { side: 'USDC' }],
    ['price: not usd_amount / token_amount', { price: '0.5' }],
    ['token_amount: zero', { tokens: '0' }],
    ['usd_amount: negative', { usd: '-2.5' }],
    ['usd_amount: more than six decimals or too large', { usd: '2.5000001' }],
    ['transactionHash: not a hash', { hash: '0xabc' }],
    ['timestamp: not a time of the format', { time: '1709287200' }],
    ['maker_direction: not BUY or SELL', { direction: 'HOLD' }],
  ];

  it('refuses each kind of bad row and counts it under its reason', async () => {
    const lines = [fill(), ...bad.map(([, row]) => fill(row)), fill()];
    const result = await runStage(definition, run, { params: await params(lines, { maxRejected: 0.99 }) });
    const found = await quality(result);
    expect(found).toMatchObject({ rowsRead: bad.length + 2, rowsKept: 2 });
    expectReasons(
      found.rejected,
      bad.map(([reason]) => reason),
      (i) => `${found.source}:${i + 3}`,
    );
  });

  it('counts a last line that is cut, wherever it is cut', async () => {
    const whole = csv(tradesHeader, [fill(), fill()]);
    for (const missing of [2, 30, 90, 150]) {
      const trades = await file(whole.slice(0, -missing));
      const given = { format: 'poly-data-v1', trades, markets: await file(markets) };
      expect(formatError(await failure(given))).toContain(
        `${trades}:3: 1 of 2 rows are refused (50 %, allowed 0.1 %), most often, 1 times: the last line is cut`,
      );
      const result = await runStage(definition, run, { params: { ...given, maxRejected: 0.5 } });
      expect(await quality(result)).toMatchObject({ rowsRead: 2, rowsKept: 1 });
      expect((await result.metrics()).notes?.some((note) => note.includes('line break'))).toBe(true);
    }
  });

  it('takes a last line that is complete but for its line break, and says so', async () => {
    const trades = await file(csv(tradesHeader, [fill(), fill({ tokens: '10' })]).slice(0, -1));
    const result = await runStage(definition, run, {
      params: { format: 'poly-data-v1', trades, markets: await file(markets) },
    });
    expect(await quality(result)).toMatchObject({ rowsRead: 2, rowsKept: 2 });
    expect((await result.metrics()).notes?.some((note) => note.includes('line break'))).toBe(true);
  });

  it('reads CRLF, a byte-order mark, blank lines, quotes and gzip alike', async () => {
    const lines = [fill(), fill({ time: '2024-03-01T10:00:05.000000' })];
    const plain = csv(tradesHeader, lines);
    const quoted = csv(
      tradesHeader,
      lines.map((line) => line.replace(/[^,]+/g, '"$&"')),
    );
    const results = await Promise.all(
      [
        await file(plain),
        await file(plain.replaceAll('\n', '\r\n')),
        await file(`\uFEFF${plain}`),
        await file(`${plain.replace('\n', '\n\n')}\n\n`),
        await file(quoted),
        await file(gzipSync(plain), '.csv.gz'),
      ].map(async (trades) =>
        runStage(definition, run, { params: { format: 'poly-data-v1', trades, markets: await file(markets) } }),
      ),
    );
    const [first, ...others] = await Promise.all(results.map((result) => result.bytes('trades')));
    for (const other of others) expect(Buffer.compare(other, first as Uint8Array)).toBe(0);
  });

  it('names the line of the first row of each reason, after lines of any kind', async () => {
    const lines = ['', fill(), 'a,b', '', fill({ tokens: '0' }), 'a', fill({ side: 'x' }), '', fill({ side: 'x' })];
    const result = await runStage(definition, run, { params: await params(lines, { maxRejected: 0.99 }) });
    const found = await quality(result);
    expect(found.rowsRead).toBe(6);
    expect(found.rejected).toEqual([
      { reason: 'nonusdc_side: not token1 or token2', count: 2, first: `${found.source}:8` },
      { reason: 'wrong number of columns', count: 2, first: `${found.source}:4` },
      { reason: 'token_amount: zero', count: 1, first: `${found.source}:6` },
    ]);
  });

  it('keeps or drops exact duplicates and tells the totals of both, in a file in order of time or not', async () => {
    const [one, other] = [fill(), fill({ maker: wallet(7) })];
    const later = fill({ time: '2024-03-02T10:00:00.000000', price: '0.5', usd: '5' });
    for (const lines of [
      [one, one, other, one, later],
      [later, one, one, other, one],
    ]) {
      const keep = await runStage(definition, run, { params: await params(lines) });
      const drop = await runStage(definition, run, { params: await params(lines, { duplicates: 'drop-exact' }) });
      expect(await quality(keep)).toMatchObject({ rowsKept: 5, duplicates: { count: 2, policy: 'keep' } });
      expect(await quality(drop)).toMatchObject({ rowsKept: 3, duplicates: { count: 2, policy: 'drop-exact' } });
      const totals = [
        { label: 'Fills', keep: 5, dropExact: 3, unit: 'rows' },
        { label: 'Volume', keep: 15, dropExact: 10, unit: 'USD' },
        // 10 tokens each, bought at 0.25 and once at 0.5, marked at 0.5.
        { label: 'Profit and loss of all wallets, marked at the last price', keep: 10, dropExact: 5, unit: 'USD' },
      ];
      expect((await quality(keep)).totals).toEqual(totals);
      expect((await quality(drop)).totals).toEqual(totals);
      const times = (await rowsOf(drop, 'trades')).map((row) => (row['time'] as Date).getTime());
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('stops at files that are not what they should be', async () => {
    const good = csv(tradesHeader, [fill(), fill()]);
    const wide = `${fill()},0.01`;
    const cases: [string, string][] = [
      [path.join(folder, 'nowhere.csv'), 'no such file'],
      [await file(''), 'the file is empty'],
      [await file(`${tradesHeader}\n`), 'a header and no rows'],
      [await file(`${tradesHeader}`), 'a header and no rows'],
      [await file(good.replace('maker,taker', 'taker,maker')), 'the columns are in another order'],
      [
        await file(csv(tradesHeader, [fill(), wide, wide, wide, wide])),
        ':3: from here on the rows have another number',
      ],
      [await file(csv(tradesHeader, [fill(), `"${fill()}`, fill(), fill()])), 'a quote is opened and not closed'],
      [await file(gzipSync(good).subarray(0, -12), '.csv.gz'), 'the gzip stream is cut or damaged'],
      [await file(good, '.csv.gz'), 'the gzip stream is cut or damaged'],
    ];
    for (const [trades, message] of cases) {
      const error = await failure({ format: 'poly-data-v1', trades, markets: await file(markets), maxRejected: 1 });
      expect(error.code).toBe('data');
      expect(formatError(error)).toContain(message);
      expect(error.at?.file).toBe(trades);
    }
  });

  it('mends nothing: times of other units, wallets in capitals as in small letters', async () => {
    const lines = [
      fill({ maker: wallet(10).toUpperCase().replace('0X', '0x') }),
      fill({ maker: wallet(10).toLowerCase() }),
      ...['1709287200', '1709287200000', '1709287200000000', '2024-03-01T10:00:00.0000000'].map((time) =>
        fill({ time }),
      ),
    ];
    const result = await runStage(definition, run, { params: await params(lines, { maxRejected: 0.99 }) });
    expect((await rowsOf(result, 'trades')).map((row) => row['wallet'])).toEqual([
      wallet(10).toLowerCase(),
      wallet(10).toLowerCase(),
    ]);
    expect((await quality(result)).rejected).toMatchObject([
      { reason: 'timestamp: not a time of the format', count: 4 },
    ]);
  });

  it('reads resolutions of the markets it has', async () => {
    const resolutions = await file(
      csv('market_id,payout1,payout2,final_at', [
        '253591.0,1.0,0.0,2024-11-06T17:00:00+02:00',
        '253592,0.5,0.5,2024-11-07 00:00:00',
        '999,1,0,2024-11-07 00:00:00',
      ]),
    );
    const result = await runStage(definition, run, { params: await params([fill()], { resolutions }) });
    expect(await rowsOf(result, 'resolutions')).toEqual([
      {
        market: '253591',
        payout0: 1,
        payout1: 0,
        proposedAt: null,
        finalAt: new Date('2024-11-06T15:00:00Z'),
        knowableAt: new Date('2024-11-06T15:00:00Z'),
      },
      expect.objectContaining({ market: '253592', payout0: 0.5, payout1: 0.5 }),
    ]);
    expect((await quality(result, 2)).facts?.[0]).toMatchObject({ value: 1 });
    const wrong = await file(csv('market_id,payout1,payout2,final_at', ['253591,1,1,2024-11-07 00:00:00']));
    expect((await failure(await params([fill()], { resolutions: wrong }))).message).toContain(
      'payouts: not 0, 0.5 or 1',
    );
    const twice = await file(
      csv('market_id,payout1,payout2,final_at', ['253591,1,0,2024-11-07 00:00:00', '253591,0,1,2024-11-07 00:00:00']),
    );
    const error = await failure(await params([fill()], { resolutions: twice }));
    expect(formatError(error)).toBe(`${twice}:3: market 253591 has two different resolutions`);
    // Read beside the trades, but told of after them, and after the markets.
    const trades = await params([fill({ market: '' })], { resolutions: twice });
    expect((await failure(trades)).message).toContain('market_id: not in the markets file');
    const markets = await file('id,question\n1,2\n');
    expect(formatError(await failure({ ...trades, markets }))).toContain(`${markets}:1: the header`);
  });
});
