import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { FathomError, formatError } from '../../src/errors.ts';
import settleDefinition from '../../src/stages/markets-settle.ts';
import settle from '../../src/stages/run/markets-settle.ts';
import run from '../../src/stages/run/source-polymarket-fills.ts';
import runMarkets from '../../src/stages/run/source-polymarket-markets.ts';
import definition from '../../src/stages/source-polymarket-fills.ts';
import marketsDefinition from '../../src/stages/source-polymarket-markets.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const wallet = (n: number): string => `0x${n.toString(16).padStart(40, 'A')}`;
const hash = (n: number): string => `0x${n.toString(16).padStart(64, 'C')}`;
const token = (n: number): string => `${'7'.repeat(74)}${String(n).padStart(3, '0')}`;
const [exchange, negRiskExchange] = [
  '0x4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E',
  '0xC5d563A36AE78145C45a50134d48A1215220f80a',
];
const [exchange2, negRiskExchange2] = [
  '0xE111180000d2663C0091e4f400237545B87B996B',
  '0xe2222d279d744050d28e00520010520000310F59',
];
const second = 1_767_225_600;

let folder: string;
/** Canonical markets: tokens 2 and 3 are market 1, tokens 4 and 5 market 2. */
let markets: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const rows = [1, 2].map((n) => ({
    conditionId: hash(n),
    question: 'Will Bitcoin reach 100k?',
    outcomes: ['Yes', 'No'],
    clobTokenIds: [token(2 * n), token(2 * n + 1)],
  }));
  const params = { format: 'gamma-markets', files: [await file(JSON.stringify(rows), '.json')] };
  markets = (await runStage(marketsDefinition, runMarkets, { params })).path('markets');
});

let files = 0;
async function file(content: string | Uint8Array, extension = '.csv'): Promise<string> {
  const name = path.join(folder, `${files++}${extension}`);
  await writeFile(name, content);
  return name;
}

const read = (params: object, named = true): Promise<StageResult> =>
  runStage(definition, run, { params, ...(named ? { inputs: { markets: [markets] } } : {}) });

const rowsOf = async (result: StageResult, port = 'trades'): Promise<readonly Record<string, unknown>[]> =>
  (await readParquet(result.path(port))).rows;

async function failure(params: object, named = true): Promise<FathomError> {
  const error = await read(params, named).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FathomError);
  return error as FathomError;
}

const quality = async (result: StageResult, i = 0) => (await result.metrics()).quality?.[i];

/** Each reason is counted as often as it stands there, and first seen where it first stands. */
async function expectReasons(
  result: StageResult,
  name: string,
  reasons: readonly string[],
  firstLine: number,
): Promise<void> {
  const found = (await quality(result))?.rejected ?? [];
  expect(new Set(found.map(({ reason }) => reason))).toEqual(new Set(reasons));
  for (const { reason, count, first } of found) {
    expect([reason, count]).toEqual([reason, reasons.filter((other) => other === reason).length]);
    expect([reason, first]).toEqual([reason, `${path.basename(name)}:${reasons.indexOf(reason) + firstLine}`]);
  }
}

/** A match of three fills: two makers sell 30 and 10 tokens 2 to a taker, who pays 16 dollars. */
interface Fill {
  readonly maker: number;
  readonly taker: number | string;
  readonly gives: string;
  readonly giving: number | string;
  readonly takes: string;
  readonly taking: number | string;
}
const match: readonly Fill[] = [
  { maker: 1, taker: 3, gives: token(2), giving: 30_000_000, takes: '0', taking: 12_000_000 },
  { maker: 2, taker: 3, gives: token(2), giving: 10_000_000, takes: '0', taking: 4_000_000 },
  { maker: 3, taker: exchange, gives: '0', giving: 16_000_000, takes: token(2), taking: 40_000_000 },
];
const address = (party: number | string): string => (typeof party === 'number' ? wallet(party) : party);

describe('order-filled', () => {
  const header = 'timestamp,maker,makerAssetId,makerAmountFilled,taker,takerAssetId,takerAmountFilled,transactionHash';
  const line = (fill: Partial<Fill> & { time?: string; transaction?: string } = {}): string => {
    const one = { ...(match[0] as Fill), ...fill };
    return [
      fill.time ?? second,
      address(one.maker),
      one.gives,
      one.giving,
      address(one.taker),
      one.takes,
      one.taking,
      fill.transaction ?? hash(9),
    ].join(',');
  };
  const csv = (lines: readonly string[], head = header): string => [head, ...lines].map((text) => `${text}\n`).join('');
  const params = (name: string, more: object = {}) => ({ format: 'order-filled', files: [name], ...more });

  it('gives every fill one row, as its wallet sees it, and volume once', async () => {
    const result = await read(params(await file(csv(match.map((fill) => line(fill))))));
    const common = {
      market: hash(1).toLowerCase(),
      event: hash(1).toLowerCase(),
      token: token(2),
      outcome: 'Yes',
      outcomeIndex: 0,
      price: 0.4,
      fee: null,
      transaction: hash(9).toLowerCase(),
      time: new Date(second * 1000),
    };
    const lower = (n: number): string => wallet(n).toLowerCase();
    expect(await rowsOf(result)).toMatchObject([
      {
        ...common,
        seq: 0n,
        wallet: lower(1),
        counterparty: lower(3),
        role: 'maker',
        side: 'SELL',
        usd: 12,
        shares: 30,
      },
      { ...common, seq: 1n, wallet: lower(2), counterparty: lower(3), role: 'maker', side: 'SELL', usd: 4, shares: 10 },
      { ...common, seq: 2n, wallet: lower(3), counterparty: null, role: 'taker', side: 'BUY', usd: 16, shares: 40 },
    ]);
    expect((await result.metrics()).scalars).toMatchObject({ rows: 3, wallets: 3, usd: 32, takerUsd: 16, rejected: 0 });
    expect(await rowsOf(result, 'markets')).toMatchObject([
      { market: hash(1).toLowerCase(), token0: token(2), category: 'crypto' },
    ]);
    // One order of each wallet: three groups; without hashes of orders by wallet, transaction, token and side.
    const groups = (await rowsOf(result)).map(({ orderGroup }) => orderGroup);
    expect(new Set(groups).size).toBe(3);
    const again = await rowsOf(
      await read(params(await file(csv([line(match[0]), line({ ...match[0], giving: 1_000_000, taking: 500_000 })])))),
    );
    expect(again[0]?.['orderGroup']).toBe(again[1]?.['orderGroup']);
    expect(again[0]?.['orderGroup']).toBe(groups[0]);
  });

  it('knows all four exchange contracts, and never takes one for a wallet', async () => {
    for (const contract of [exchange, negRiskExchange, exchange2, negRiskExchange2]) {
      const name = await file(csv([line({ taker: contract }), line({ taker: contract.toLowerCase() })]));
      const result = await read(params(name));
      expect(await rowsOf(result)).toMatchObject([
        { role: 'taker', counterparty: null },
        { role: 'taker', counterparty: null },
      ]);
      const own = await file(csv([line({ maker: contract as never })]));
      expect((await failure(params(own))).message).toContain('maker: an exchange contract');
    }
  });

  it('reads the columns in any order, hashes of orders, and fees in either unit', async () => {
    const columns = [...header.split(','), 'orderHash', 'fee'];
    const order = [9, 0, 8, 1, 7, 2, 6, 3, 5, 4];
    const shuffle = (text: string): string => order.map((i) => text.split(',')[i]).join(',');
    const lines = match.map((fill, i) => shuffle(`${line(fill)},${hash(50 + i)},${[300_000, 0, 1_000_001][i]}`));
    const name = await file(csv(lines, shuffle(columns.join(','))));
    expect((await failure(params(name))).message).toContain('it is not said what its numbers are');
    const received = await rowsOf(await read(params(name, { feeUnit: 'received' })));
    // The seller received dollars; the buyer tokens, worth 16/40 dollars: 0.4 of 1.000001.
    expect(received.map(({ fee }) => fee)).toEqual([0.3, 0, 0.4]);
    expect(received.map(({ orderHash }) => orderHash)).toEqual([50, 51, 52].map((n) => hash(n).toLowerCase()));
    const usd = await rowsOf(await read(params(name, { feeUnit: 'usd' })));
    expect(usd.map(({ fee }) => fee)).toEqual([0.3, 0, 1.000001]);
  });

  it('refuses each kind of bad row under its reason, with the line of the first', async () => {
    const bad: readonly [string, string][] = [
      ['timestamp: milliseconds, not seconds', line({ time: `${second}000` })],
      ['timestamp: microseconds, not seconds', line({ time: `${second}000000` })],
      ['timestamp: not seconds since 1970', line({ time: '12' })],
      ['timestamp: not seconds since 1970', line({ time: '2026-01-01' })],
      ['makerAmountFilled: negative', line({ giving: -5 })],
      ['makerAmountFilled: not whole millionths', line({ giving: '1.5' })],
      ['takerAmountFilled: not whole millionths', line({ taking: '1e6' })],
      ['takerAmountFilled: not whole millionths', line({ taking: '1'.repeat(16) })],
      ['makerAssetId, takerAssetId: not one of them collateral, the other a token', line({ gives: '0' })],
      ['makerAssetId, takerAssetId: not one of them collateral, the other a token', line({ takes: token(3) })],
      ['makerAssetId, takerAssetId: not one of them collateral, the other a token', line({ gives: '7.1e+76' })],
      ['tokens: none', line({ giving: 0 })],
      ['price: outside [0, 1]', line({ giving: 1_000_000, taking: 1_000_001 })],
      ['maker: not an address', line({ maker: '0x12' as never })],
      ['taker: not an address', line({ taker: '' })],
      ['transactionHash: not a hash', line({ transaction: '0x12' })],
      ['token: in none of the markets', line({ gives: token(99) })],
      ['wrong number of columns', 'a,b,c'],
    ];
    const name = await file(csv([line(), ...bad.map(([, text]) => text), line()]));
    const result = await read(params(name, { maxRejected: 0.99 }));
    await expectReasons(
      result,
      name,
      bad.map(([reason]) => reason),
      3,
    );
    expect(await quality(result)).toMatchObject({
      rowsRead: bad.length + 2,
      rowsKept: 2,
      duplicates: { count: 1, policy: 'keep' },
    });
    expect(formatError(await failure(params(name)))).toContain('18 of 20 rows are refused');
  });

  it('keeps prices of 0 and 1, and a wallet in capitals is the same wallet', async () => {
    const fills = [line({ taking: 0 }), line({ taking: 30_000_000 }), line().toUpperCase().replaceAll('0X', '0x')];
    const result = await read(params(await file(csv(fills))));
    expect((await rowsOf(result)).map(({ price }) => price)).toEqual([0, 1, 0.4]);
    expect((await result.metrics()).scalars).toMatchObject({ wallets: 1 });
  });

  it('takes unknown tokens for markets of their own if asked, and then needs no markets', async () => {
    const name = await file(csv(match.map((fill) => line(fill))));
    expect((await failure(params(name), false)).message).toContain('no markets are given');
    const result = await read(params(name, { unknownTokens: 'own-market' }), false);
    expect((await rowsOf(result))[0]).toMatchObject({
      market: token(2),
      event: token(2),
      outcome: null,
      outcomeIndex: null,
    });
    expect(await rowsOf(result, 'markets')).toMatchObject([{ market: token(2), token0: null, category: 'other' }]);
    expect((await result.metrics()).scalars).toMatchObject({ unknownOutcomes: 3 });
  });

  it('keeps or drops exact duplicates, over all files, and tells the totals of both', async () => {
    const names = [
      await file(csv([line(match[0]), line(match[0])])),
      await file(csv([line(match[0]), line(match[2])])),
    ];
    const keep = await read({ format: 'order-filled', files: names });
    const drop = await read({ format: 'order-filled', files: names, duplicates: 'drop-exact' });
    const totals = [
      { label: 'Fills', keep: 4, dropExact: 2, unit: 'rows' },
      { label: 'Volume of all rows', keep: 52, dropExact: 28, unit: 'USD' },
      { label: 'Volume counted once a match (fills of takers)', keep: 16, dropExact: 16, unit: 'USD' },
    ];
    expect((await quality(keep))?.totals).toEqual(totals);
    expect((await quality(drop))?.totals).toEqual(totals);
    expect((await rowsOf(drop)).map(({ seq }) => seq)).toEqual([0n, 1n]);
    expect((await drop.metrics()).quality?.map(({ rowsKept, duplicates }) => [rowsKept, duplicates.count])).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect((await keep.metrics()).quality?.map(({ rowsKept }) => rowsKept)).toEqual([2, 2]);
  });

  it('stops at files that are not what they should be', async () => {
    const good = csv(match.map((fill) => line(fill)));
    const cases: [string, string][] = [
      [await file(good.slice(0, -100)), 'the last line is cut'],
      [await file(csv([line(), `${line()},1`, `${line()},1`])), 'the schema changes: from here on'],
      [await file(good.replace('takerAssetId', 'takerAsset')), 'no column takerAssetId'],
      [await file(csv([`${line()},1`], `${header},nonce`)), 'unknown column nonce'],
      [await file(gzipSync(good).subarray(0, -12), '.csv.gz'), 'the gzip stream is cut'],
      [await file(`${header}\n`), 'a header and no rows'],
    ];
    for (const [name, message] of cases) {
      const error = await failure(params(name, { maxRejected: 1 }));
      expect(formatError(error)).toContain(message);
      expect(error.at?.file).toBe(name);
    }
  });

  it('gives rows that can be settled', async () => {
    const result = await read(params(await file(csv(match.map((fill) => line(fill))))));
    const ledger = await runStage(settleDefinition, settle, {
      params: { fees: 'none' },
      inputs: { trades: [result.path('trades')], markets: [result.path('markets')] },
    });
    const checks = (await ledger.metrics()).checks ?? [];
    expect(checks[0]).toMatchObject({ name: 'Ledger adds up', verdict: 'pass' });
  });
});

describe('logs', () => {
  const header = 'id,transaction_hash,block_number,contract_address,event_name,args,created_at';
  let id = 100;
  const cell = (value: unknown): string =>
    `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
  const log = (
    fill: Fill,
    more: { event?: string; contract?: string; time?: string; transaction?: number; args?: object; fee?: string } = {},
  ): string => {
    const args = {
      ...(more.event === 'OrdersMatched' ? {} : { fee: more.fee ?? '0', taker: address(fill.taker) }),
      maker: address(fill.maker),
      making: String(fill.giving),
      taking: String(fill.taking),
      orderHash: hash(200 + fill.maker),
      makerAssetId: fill.gives,
      takerAssetId: fill.takes,
      ...more.args,
    };
    return [
      id++,
      hash(more.transaction ?? 9),
      '80505749',
      more.contract ?? exchange,
      more.event ?? 'OrderFilled',
      args,
      more.time ?? '2025-12-19 07:50:29.5+00',
    ]
      .map(cell)
      .join(',');
  };
  const own = match[2] as Fill;
  const matched = (more: object = {}): string => log(own, { event: 'OrdersMatched', ...more });
  const whole = (transaction: number, time?: string): string[] => [
    ...match.map((fill) => log(fill, { transaction, ...(time === undefined ? {} : { time }) })),
    matched({ transaction, ...(time === undefined ? {} : { time }) }),
  ];
  /** Newest first, as recorders list them. */
  const csv = (lines: readonly string[]): string => [header, ...lines.toReversed()].map((text) => `${text}\n`).join('');
  const params = (name: string, more: object = {}) => ({ format: 'logs', files: [name], ...more });
  const factOf = async (result: StageResult, label: string) =>
    (await quality(result))?.facts?.find((fact) => fact.label.startsWith(label))?.value;

  it('takes OrdersMatched for a confirmation of the fill that it repeats', async () => {
    const result = await read(params(await file(csv([...whole(1), ...whole(2, '2025-12-19 08:50:31+01')]))));
    const rows = await rowsOf(result);
    expect(rows.map(({ role, usd, orderHash }) => [role, usd, orderHash])).toEqual(
      [1, 2].flatMap(() => [
        ['maker', 12, hash(201).toLowerCase()],
        ['maker', 4, hash(202).toLowerCase()],
        ['taker', 16, hash(203).toLowerCase()],
      ]),
    );
    expect(rows.at(-1)?.['time']).toEqual(new Date('2025-12-19T07:50:31Z'));
    expect((await result.metrics()).scalars).toMatchObject({ rows: 6, usd: 64, takerUsd: 32, rejected: 0 });
    expect(await quality(result)).toMatchObject({ rowsRead: 8, rowsKept: 6 });
    expect(await factOf(result, 'OrdersMatched that only confirm')).toBe(2);
    expect(await factOf(result, 'Transactions not whole')).toBe(0);
  });

  it('lets it stand in where the file is cut in the middle of a transaction, and counts what is not whole', async () => {
    const [first, second, third, fourth] = whole(1) as [string, string, string, string];
    // Transaction 1 lacks the taker's own event, 2 that and a maker, 3 all but a maker.
    const lines = [first, second, fourth, ...whole(2).slice(1, 2), ...whole(2).slice(3), ...whole(3).slice(0, 1)];
    expect(third).toContain(exchange);
    const name = await file(csv(lines));
    const result = await read(params(name));
    expect((await rowsOf(result)).map(({ role, usd, fee }) => [role, usd, fee])).toEqual([
      ['maker', 12, 0],
      ['maker', 4, 0],
      ['taker', 16, null],
      ['maker', 4, 0],
      ['taker', 16, null],
      ['maker', 12, 0],
    ]);
    expect(await factOf(result, 'OrdersMatched that stand in')).toBe(2);
    expect(await factOf(result, 'Transactions not whole in the file, their fills kept')).toBe(2);
    const dropped = await read(params(name, { cutTransactions: 'drop' }));
    expect((await rowsOf(dropped)).map(({ role }) => role)).toEqual(['maker', 'maker', 'taker']);
    expect(await factOf(dropped, 'Transactions not whole in the file, left out')).toBe(2);
  });

  it('reads fees of older contracts as part of what was received, of newer ones as dollars', async () => {
    const lines = [exchange, negRiskExchange2].map((contract) =>
      log(own, { contract, fee: '1000000', transaction: contract.length + contract.charCodeAt(3) }),
    );
    const rows = await rowsOf(await read(params(await file(csv(lines)))));
    expect(rows.map(({ fee }) => fee)).toEqual([0.4, 1]);
  });

  it("refuses each kind of bad row, and takes the recorder's own number for no difference", async () => {
    const bad: readonly [string, string][] = [
      ['event_name: neither OrderFilled nor OrdersMatched', log(own, { event: 'OrderCancelled' })],
      ['contract_address: not an exchange contract', log(own, { contract: wallet(1) })],
      ['args: not JSON', log(own).replace('}"', '"')],
      ['created_at: names no zone', log(own, { time: '2025-12-19 07:50:29' })],
      ['created_at: not a time of the format', log(own, { time: 'noon+00' })],
      ['making: negative', log({ ...own, giving: -1 })],
      ['price: outside [0, 1]', log({ ...own, giving: 41_000_000 })],
      ['taker: not an address', log(own, { args: { taker: undefined } })],
      ['orderHash: not a hash', log(own, { args: { orderHash: '' } })],
      ['fee: not whole millionths', log(own, { fee: '0.1' })],
      ['OrdersMatched: differs from the OrderFilled of its order', matched({ args: { making: '15000000' } })],
    ];
    const name = await file(`${[header, ...whole(9), ...bad.map(([, text]) => text), log(own)].join('\n')}\n`);
    const result = await read(params(name, { maxRejected: 0.9, duplicates: 'drop-exact' }));
    await expectReasons(
      result,
      name,
      bad.map(([reason]) => reason),
      6,
    );
    expect(await quality(result)).toMatchObject({ rowsRead: 16, rowsKept: 3, duplicates: { count: 1 } });
  });
});

describe('data-api', () => {
  const trade = (n: number, more: object = {}): Record<string, unknown> => ({
    proxyWallet: wallet(1),
    side: 'BUY',
    asset: token(2),
    conditionId: hash(1),
    size: 10,
    price: 0.5,
    timestamp: second + n,
    title: 'Will Bitcoin reach 100k?',
    slug: 'bitcoin',
    eventSlug: 'bitcoin-july',
    outcome: 'Yes',
    outcomeIndex: 0,
    name: 'never read',
    transactionHash: hash(9),
    ...more,
  });
  const json = (rows: readonly unknown[]): Promise<string> => file(JSON.stringify(rows), '.json');
  const params = (files: readonly string[], more: object = {}) => ({ format: 'data-api', files, ...more });

  it('reads fills, newest first, rounds cash once, and makes markets of what the rows tell', async () => {
    const rows = [
      trade(1, { side: 'SELL', outcome: 'No', outcomeIndex: 1, asset: token(3) }),
      trade(0, { wallet: 2, price: 0.0000005, size: 1 }),
      trade(0, { price: 0.0000005, size: 3 }),
    ];
    const result = await read(params([await json(rows)], { takersOnly: true }), false);
    expect(await rowsOf(result)).toMatchObject([
      // 1.5 and 0.5 millionths: half to even.
      { seq: 0n, usd: 0.000002, shares: 3, role: 'taker' },
      { seq: 1n, usd: 0, shares: 1 },
      { seq: 2n, side: 'SELL', usd: 5, market: hash(1).toLowerCase(), event: 'bitcoin-july', outcomeIndex: 1 },
    ]);
    expect(await rowsOf(result, 'markets')).toMatchObject([
      {
        question: 'Will Bitcoin reach 100k?',
        outcome0: 'Yes',
        outcome1: 'No',
        token0: token(2),
        token1: token(3),
        slug: 'bitcoin',
      },
    ]);
    expect((await result.metrics()).scalars).toMatchObject({ rows: 3, takerUsd: 5.000002 });
    const plain = await read(params([await json(rows)]), false);
    expect((await rowsOf(plain))[0]).toMatchObject({ role: null });
    expect((await plain.metrics()).scalars).toMatchObject({ takerUsd: null });
    // Markets given name events their own way.
    expect((await rowsOf(await read(params([await json(rows)]))))[0]).toMatchObject({ event: hash(1).toLowerCase() });
  });

  it('refuses each kind of bad row under its reason, with the line of the first', async () => {
    const bad: readonly [string, Record<string, unknown>][] = [
      ['timestamp: milliseconds, not seconds', trade(0, { timestamp: second * 1000 })],
      ['timestamp: microseconds, not seconds', trade(0, { timestamp: second * 1e6 })],
      ['timestamp: missing or of a wrong type', trade(0, { timestamp: '2026-01-01' })],
      ['size: negative', trade(0, { size: -1 })],
      ['size: zero', trade(0, { size: 0 })],
      ['size: more than six decimals or too large', trade(0, { size: 1.0000005 })],
      ['size: missing or of a wrong type', trade(0, { size: '10' })],
      ['price: outside [0, 1]', trade(0, { price: 1.01 })],
      ['price: outside [0, 1]', trade(0, { price: -0.01 })],
      ['side: not BUY or SELL', trade(0, { side: 'buy' })],
      ['asset: not a token id', trade(0, { asset: '' })],
      ['conditionId: not a hash', trade(0, { conditionId: '' })],
      ['proxyWallet: not an address', trade(0, { proxyWallet: '0x1' })],
      ['transactionHash: not a hash', trade(0, { transactionHash: '0x1' })],
      ['outcomeIndex: neither 0 nor 1', trade(0, { outcomeIndex: 2 })],
      ['asset: another outcome or market in an earlier row', trade(0, { outcome: 'No', outcomeIndex: 1 })],
    ];
    const name = await file(
      [trade(0), ...bad.map(([, row]) => row), trade(0, { asset: token(8), outcomeIndex: 999 })]
        .map((row) => JSON.stringify(row))
        .join('\n'),
      '.jsonl',
    );
    const result = await read(params([name], { maxRejected: 0.9 }), false);
    await expectReasons(
      result,
      name,
      bad.map(([reason]) => reason),
      2,
    );
    expect((await rowsOf(result)).map(({ outcomeIndex }) => outcomeIndex)).toEqual([null, 0]);
  });

  it('says which feed is empty, and stops where all are', async () => {
    const empty = await json([]);
    const result = await read(params([empty, await json([trade(0)])]));
    expect((await quality(result))?.facts).toEqual([{ label: 'The feed is empty', value: 1 }]);
    expect((await failure(params([empty]))).message).toContain('there is no fill in');
  });
});

describe.skipIf(!shared)(`recorded fills (${whyNoShared})`, () => {
  it('counts the volume of 23 seconds of logs once', async () => {
    const files = [sharedFile('data', 'polymarket', 'orderfilled-logs-2025-12-19.csv')];
    const result = await read({ format: 'logs', files, unknownTokens: 'own-market' }, false);
    const { scalars, quality: [all] = [] } = await result.metrics();
    // 713 OrderFilled, and 10 of 287 OrdersMatched whose OrderFilled is not in the file.
    expect(scalars).toMatchObject({ rows: 723, rejected: 0, duplicates: 0 });
    expect(scalars['takerUsd']).toBeCloseTo(24_377.531557, 6);
    expect(scalars['usd']).toBeCloseTo(40_238.768716 + 405.175784, 6);
    expect(all?.facts?.map(({ value }) => value)).toEqual([287, 277, 10, 2]);
    const contracts = [exchange, negRiskExchange, exchange2, negRiskExchange2].map((name) => name.toLowerCase());
    const rows = await rowsOf(result);
    expect(
      rows.filter(
        (row) => contracts.includes(row['wallet'] as string) || contracts.includes(row['counterparty'] as string),
      ),
    ).toEqual([]);
    expect(rows.filter(({ role }) => role === 'taker')).toHaveLength(287);
  });

  it('reads an answer of the data API', async () => {
    const result = await read(
      { format: 'data-api', files: [sharedFile('data', 'polymarket', 'data-api-trades.json')] },
      false,
    );
    expect((await result.metrics()).scalars).toMatchObject({ rejected: 0, duplicates: 0 });
    // 30,974.624038 tokens at 0.968534758: 29,999.99999678... dollars.
    const largest = (await rowsOf(result)).find(({ shares }) => shares === 30_974.624038);
    expect(largest).toMatchObject({ side: 'BUY', outcomeIndex: 1, usd: 29_999.999997 });
  });
});
