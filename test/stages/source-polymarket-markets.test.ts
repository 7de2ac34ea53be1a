import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { FathomError, formatError } from '../../src/errors.ts';
import run from '../../src/stages/run/source-polymarket-markets.ts';
import definition from '../../src/stages/source-polymarket-markets.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const hash = (n: number): string => `0x${n.toString(16).padStart(64, 'C')}`;
const market = (n: number): string => hash(n).toLowerCase();
const token = (n: number): string => `${'7'.repeat(74)}${String(n).padStart(3, '0')}`;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

let files = 0;
async function file(content: string | Uint8Array | readonly unknown[], extension = '.json'): Promise<string> {
  const name = path.join(folder, `${files++}${extension}`);
  await writeFile(name, Array.isArray(content) ? JSON.stringify(content) : (content as string | Uint8Array));
  return name;
}

const read = (params: object): Promise<StageResult> => runStage(definition, run, { params });

const rowsOf = async (result: StageResult, port: string): Promise<readonly Record<string, unknown>[]> =>
  (await readParquet(result.path(port))).rows;

async function failure(params: object): Promise<FathomError> {
  const error = await read(params).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FathomError);
  return error as FathomError;
}

const rejected = async (result: StageResult, i = 0) => (await result.metrics()).quality?.[i]?.rejected;

/** A resolved market of Gamma; the first outcome paid. */
const gamma = (n: number, more: object = {}): Record<string, unknown> => ({
  id: String(1000 + n),
  conditionId: hash(n),
  question: 'Will Bitcoin reach 100k?',
  slug: `bitcoin-${n}`,
  outcomes: '["Yes", "No"]',
  outcomePrices: '["1", "0"]',
  clobTokenIds: JSON.stringify([token(2 * n), token(2 * n + 1)]),
  createdAt: '2026-07-01T00:00:00.5Z',
  updatedAt: '2026-07-24T00:01:00Z',
  closed: true,
  closedTime: '2026-07-24 00:00:10+00',
  umaEndDate: '2026-07-24T00:00:16Z',
  umaResolutionStatus: 'resolved',
  feesEnabled: true,
  feeSchedule: { rate: 0.07, exponent: 1, takerOnly: true, rebateRate: 0.2 },
  events: [
    {
      slug: 'bitcoin',
      title: 'Bitcoin in July',
      negRisk: true,
      startDate: '2026-07-01T00:00:00Z',
      endDate: '2026-08-01T00:00:00Z',
    },
  ],
  ...more,
});

describe('gamma', () => {
  it('reads a market, its event, its payout and its fees', async () => {
    const result = await read({ format: 'gamma-markets', files: [await file([gamma(1)])] });
    expect(await rowsOf(result, 'markets')).toEqual([
      {
        market: market(1),
        event: 'bitcoin',
        question: 'Will Bitcoin reach 100k?',
        slug: 'bitcoin-1',
        category: 'crypto',
        outcome0: 'Yes',
        outcome1: 'No',
        token0: token(2),
        token1: token(3),
        createdAt: new Date('2026-07-01T00:00:00.500Z'),
        closedAt: new Date('2026-07-24T00:00:10Z'),
      },
    ]);
    expect(await rowsOf(result, 'events')).toEqual([
      {
        event: 'bitcoin',
        title: 'Bitcoin in July',
        slug: 'bitcoin',
        category: 'crypto',
        negRisk: true,
        startAt: new Date('2026-07-01T00:00:00Z'),
        endAt: new Date('2026-08-01T00:00:00Z'),
        closedAt: null,
      },
    ]);
    // The later of the two times.
    const finalAt = new Date('2026-07-24T00:00:16Z');
    expect(await rowsOf(result, 'resolutions')).toEqual([
      { market: market(1), payout0: 1, payout1: 0, proposedAt: null, finalAt, knowableAt: finalAt },
    ]);
    expect(await rowsOf(result, 'feeSchedules')).toEqual([
      {
        market: market(1),
        effectiveFrom: new Date('2026-07-01T00:00:00.500Z'),
        rate: 0.07,
        exponent: 1,
        takerOnly: true,
        rebateShare: 0.2,
      },
    ]);
  });

  it("reads lists and JSON texts of lists alike, an array, lines, gzip, a recorder's envelope and events", async () => {
    const asLists = (row: Record<string, unknown>): object => ({
      ...row,
      outcomes: ['Yes', 'No'],
      outcomePrices: [1, '0'],
      clobTokenIds: JSON.parse(row['clobTokenIds'] as string) as string[],
    });
    const rows = [gamma(1), gamma(2)];
    const lines = (list: readonly object[]): string => list.map((row) => `${JSON.stringify(row)}\n`).join('');
    const event = { ...(gamma(1)['events'] as object[])[0], markets: rows.map(({ events: _, ...row }) => row) };
    const results = await Promise.all([
      read({ format: 'gamma-markets', files: [await file(rows)] }),
      read({ format: 'gamma-markets', files: [await file(rows.map(asLists))] }),
      read({ format: 'gamma-markets', files: [await file(lines(rows.map(asLists)), '.jsonl')] }),
      read({ format: 'gamma-markets', files: [await file(gzipSync(lines(rows)), '.jsonl.gz')] }),
      read({ format: 'gamma-markets', files: [await file(rows.map((raw) => ({ slug: 'x', raw })))] }),
      read({ format: 'gamma-events', files: [await file([event])] }),
    ]);
    for (const port of ['markets', 'events', 'resolutions', 'feeSchedules']) {
      const [first, ...others] = await Promise.all(results.map((result) => result.bytes(port)));
      for (const other of others) expect(Buffer.compare(other, first as Uint8Array)).toBe(0);
    }
  });

  it('names a market by its number if asked', async () => {
    const result = await read({ format: 'gamma-markets', files: [await file([gamma(1)])], name: 'number' });
    expect(await rowsOf(result, 'markets')).toMatchObject([{ market: '1001' }]);
  });

  it('takes no payout that is not final, and says so', async () => {
    const rows = [
      gamma(1, { closed: false }),
      gamma(2, { umaResolutionStatus: 'disputed' }),
      gamma(3, { umaResolutionStatus: undefined }),
      gamma(4, { outcomePrices: '["0.97", "0.03"]' }),
      gamma(5, { closedTime: '', umaEndDate: undefined }),
      gamma(6, { closedTime: '2026-07-24 00:00:10', umaEndDate: null }),
      gamma(7, { outcomePrices: '["0.5", "0.5"]' }),
      gamma(8, { outcomePrices: null }),
    ];
    const result = await read({ format: 'gamma-markets', files: [await file(rows)] });
    expect(await rowsOf(result, 'resolutions')).toMatchObject([{ market: market(7), payout0: 0.5, payout1: 0.5 }]);
    expect((await rowsOf(result, 'markets')).length).toBe(8);
    const metrics = await result.metrics();
    expect(metrics.scalars).toMatchObject({ rows: 8, resolved: 1, doubted: 6, rejected: 0 });
    const facts = metrics.quality?.[0]?.facts?.map(({ label, value }) => [label.replace(/ \(first.*/, ''), value]);
    expect(facts).toEqual([
      ['Markets', 8],
      ['Markets with a payout', 1],
      ['Rows with a time that cannot be read', 1],
      ['Without payout: resolved, but it is not said when', 2],
      ['Without payout: resolved, but its prices are no payout', 2],
      ['Without payout: closed, but its status is disputed', 1],
      ['Without payout: closed, but its status is not given', 1],
    ]);
  });

  const bad: readonly [string, unknown][] = [
    ['not an object', 3],
    ['conditionId: not a hash', gamma(9, { conditionId: '0x12' })],
    ['question: empty', gamma(9, { question: ' ' })],
    ['outcomes: neither a list nor the JSON of one', gamma(9, { outcomes: 'Yes,No' })],
    ['outcomes: neither a list nor the JSON of one', gamma(9, { outcomes: { 0: 'Yes' } })],
    ['outcomes: not two', gamma(9, { outcomes: ['A', 'B', 'C'] })],
    ['outcomes: empty', gamma(9, { outcomes: ['Yes', ''] })],
    ['clobTokenIds: none', gamma(9, { clobTokenIds: undefined })],
    ['clobTokenIds: none', gamma(9, { clobTokenIds: '[]' })],
    ['clobTokenIds: none', gamma(9, { clobTokenIds: '["", ""]' })],
    ['clobTokenIds: not two', gamma(9, { clobTokenIds: [token(1)] })],
    ['clobTokenIds: not text', gamma(9, { clobTokenIds: `[${token(1)}, ${token(2)}]` })],
    ['clobTokenIds: not a token id', gamma(9, { clobTokenIds: ['0', token(2)] })],
    ['clobTokenIds: the same token twice', gamma(9, { clobTokenIds: [token(2), token(2)] })],
    ['outcomePrices: not two', gamma(9, { outcomePrices: '["1"]' })],
    ['outcomePrices: not a number', gamma(9, { outcomePrices: '["1", "no"]' })],
    ['outcomePrices: outside [0, 1]', gamma(9, { outcomePrices: '["1.2", "-0.2"]' })],
    ['feeSchedule: not an object', gamma(9, { feeSchedule: 7 })],
    ['feeSchedule.rate: not in [0, 1]', gamma(9, { feeSchedule: { rate: 7, exponent: 1, takerOnly: true } })],
    ['feeSchedule.exponent: not in [0, 10]', gamma(9, { feeSchedule: { rate: 0, takerOnly: true } })],
    ['feeSchedule.takerOnly: not true or false', gamma(9, { feeSchedule: { rate: 0, exponent: 1 } })],
    [
      'feeSchedule.rebateRate: not in [0, 1]',
      gamma(9, { feeSchedule: { rate: 0, exponent: 1, takerOnly: true, rebateRate: 20 } }),
    ],
  ];

  it('refuses each kind of bad row under its reason, with the line of the first', async () => {
    const lines = [gamma(1), ...bad.map(([, row]) => row)].map((row) => JSON.stringify(row));
    const name = await file([...lines, '{"cut":', JSON.stringify(gamma(2)), ''].join('\n'), '.jsonl');
    const result = await read({ format: 'gamma-markets', files: [name], maxRejected: 0.99 });
    const found = (await rejected(result)) ?? [];
    const reasons = [...bad.map(([reason]) => reason), 'not JSON'];
    expect(found).toHaveLength(new Set(reasons).size);
    for (const { reason, count, first } of found) {
      expect(count).toBe(reasons.filter((other) => other === reason).length);
      expect(first).toBe(`${path.basename(name)}:${reasons.indexOf(reason) + 2}`);
    }
    expect(await rowsOf(result, 'markets')).toHaveLength(2);
    const error = await failure({ format: 'gamma-markets', files: [name] });
    expect(formatError(error)).toContain('23 of 25 rows are refused');
    expect(error.at?.file).toBe(name);
  });

  it('takes the row that was changed last, and dates a change of fees', async () => {
    const rows = [
      gamma(1, {
        updatedAt: '2026-07-20T00:00:00Z',
        question: 'New',
        feeSchedule: { rate: 0.05, exponent: 1, takerOnly: true },
      }),
      gamma(1, { updatedAt: '2026-07-10T00:00:00Z', question: 'Old', closed: false, outcomePrices: '["0.3", "0.7"]' }),
      gamma(1, { updatedAt: '2026-07-21T00:00:00Z', question: 'Newest', feesEnabled: false }),
    ];
    const result = await read({ format: 'gamma-markets', files: [await file(rows)] });
    expect(await rowsOf(result, 'markets')).toMatchObject([{ question: 'Newest' }]);
    const fees = await rowsOf(result, 'feeSchedules');
    expect(fees.map(({ effectiveFrom, rate }) => [effectiveFrom, rate])).toEqual([
      [new Date('2026-07-01T00:00:00.500Z'), 0.07],
      [new Date('2026-07-20T00:00:00Z'), 0.05],
      [new Date('2026-07-21T00:00:00Z'), 0],
    ]);
    expect((await result.metrics()).quality?.[0]).toMatchObject({ rowsRead: 3, rowsKept: 1, duplicates: { count: 2 } });
  });

  it('stops at files that contradict each other, and at broken ones', async () => {
    const one = await file([gamma(1), gamma(2)]);
    const lines = `${JSON.stringify(gamma(1))}\n${JSON.stringify(gamma(2))}\n`;
    const csv = 'market_id,payout1,payout2,final_at\n';
    const other = async (row: object): Promise<string> => file([gamma(3), row]);
    const format = 'gamma-markets';
    const cases: [object, string][] = [
      [
        { files: [one, await other(gamma(1, { outcomePrices: '["0", "1"]' }))] },
        `market ${market(1)} has two different resolutions; the other one is ${one}:1`,
      ],
      [
        { files: [one], resolutions: [await file(`${csv}${hash(2)},0.5,0.5,2026-07-25 00:00:00\n`, '.csv')] },
        `market ${market(2)} has two different resolutions`,
      ],
      [{ files: [one, await other(gamma(1, { clobTokenIds: [token(3), token(2)] }))] }, 'has two pairs of tokens'],
      [
        { files: [one, await other(gamma(4, { clobTokenIds: [token(2), token(9)] }))] },
        `token ${token(2)} stands for two outcomes or markets`,
      ],
      [{ files: [await file(lines.slice(0, -40), '.jsonl')] }, 'the last line is cut'],
      [{ files: [await file(gzipSync(lines).subarray(0, 200), '.jsonl.gz')] }, 'the gzip stream is cut'],
      [{ files: [await file([])] }, 'there is no market in'],
      [{ files: [path.join(folder, 'nowhere.json')] }, 'no such file'],
    ];
    for (const [params, message] of cases) expect((await failure({ format, ...params })).message).toContain(message);
  });

  it('takes the later time where files agree on the payout, and drops payouts of other markets', async () => {
    const csv = `market_id,payout1,payout2,final_at\n${hash(1)},1,0,2026-07-25 00:00:00\n${hash(5)},1,0,2026-07-25 00:00:00\n`;
    const result = await read({
      format: 'gamma-markets',
      files: [await file([gamma(1)])],
      resolutions: [await file(csv, '.csv')],
    });
    expect(await rowsOf(result, 'resolutions')).toMatchObject([
      { market: market(1), knowableAt: new Date('2026-07-25T00:00:00Z') },
    ]);
    expect((await result.metrics()).quality?.[1]).toMatchObject({ rowsRead: 2, rowsKept: 1 });
  });
});

describe('clob', () => {
  const capturedAt = '2026-06-01T00:00:00Z';
  const clob = (n: number, winner: number | null, more: object = {}): Record<string, unknown> => ({
    condition_id: hash(n),
    question: 'Will Trump win?',
    market_slug: `trump-${n}`,
    closed: winner !== null,
    neg_risk: true,
    neg_risk_market_id: hash(77),
    is_50_50_outcome: false,
    end_date_iso: '2026-05-01T00:00:00Z',
    tokens: [0, 1].map((i) => ({
      token_id: token(2 * n + i),
      outcome: i === 0 ? 'Yes' : 'No',
      price: 0.5,
      winner: winner === i,
    })),
    ...more,
  });
  const params = (files: readonly string[], more: object = {}) => ({ format: 'clob', files, capturedAt, ...more });

  it('reads pages of JSON and the CSV of poly_data version 2 alike', async () => {
    const rows = [
      clob(1, 1),
      clob(2, null),
      clob(3, null, { closed: true, is_50_50_outcome: true }),
      clob(4, null, { closed: true }),
    ];
    const cell = (value: unknown): string =>
      `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
    const names = ['id', ...Object.keys(rows[0] as object).reverse()];
    const csv = [
      names.join(','),
      ...rows.map((row) => names.map((name) => cell(row[name] ?? row['condition_id'])).join(',')),
    ].join('\n');
    const page = await read(params([await file(JSON.stringify({ data: rows, next_cursor: 'LTE=' }))]));
    const table = await read(params([await file(`${csv.replaceAll('"true"', 'True')}\n`, '.csv')]));
    for (const port of ['markets', 'events', 'resolutions', 'feeSchedules'])
      expect(Buffer.compare(await page.bytes(port), await table.bytes(port))).toBe(0);
    const knowable = { finalAt: null, knowableAt: new Date(capturedAt) };
    expect(await rowsOf(page, 'resolutions')).toMatchObject([
      { market: market(1), payout0: 0, payout1: 1, ...knowable },
      { market: market(3), payout0: 0.5, payout1: 0.5, ...knowable },
    ]);
    expect(await rowsOf(page, 'markets')).toMatchObject([
      { market: market(1), event: market(77), category: 'politics', token0: token(2), token1: token(3) },
      {},
      {},
      {},
    ]);
    expect(await rowsOf(page, 'events')).toMatchObject([
      { event: market(77), negRisk: true, endAt: new Date('2026-05-01T00:00:00Z') },
    ]);
    expect((await page.metrics()).scalars).toMatchObject({ rows: 4, resolved: 2, doubted: 1 });
  });

  it('refuses markets without tokens, with two winners, and prices outside of 0 and 1', async () => {
    const tokens = (more: object) => (clob(9, null)['tokens'] as object[]).map((one) => ({ ...one, ...more }));
    const rows = [
      clob(1, 0),
      clob(9, null, { tokens: tokens({ token_id: '' }) }),
      clob(9, null, { tokens: [] }),
      clob(9, null, { tokens: 'x' }),
      clob(9, null, { tokens: tokens({ winner: true }) }),
      clob(9, null, { tokens: tokens({ price: 1.5 }) }),
      clob(9, 0, { is_50_50_outcome: true }),
      clob(9, 0, { closed: false }),
      clob(9, 0, { closed: 'yes' }),
    ];
    const result = await read(params([await file(rows)], { maxRejected: 1 }));
    expect((await rejected(result))?.map(({ reason, count }) => [reason, count])).toEqual([
      ['tokens.token_id: none', 2],
      ['closed: not true or false', 1],
      ['tokens.price: outside [0, 1]', 1],
      ['tokens.winner: both', 1],
      ['tokens.winner: one, though the market is open', 1],
      ['tokens.winner: one, though the outcome is 50-50', 1],
      ['tokens: neither a list nor the JSON of one', 1],
    ]);
  });

  it('asks when it was captured', () => {
    expect(definition.params.safeParse({ format: 'clob', files: ['a'] }).success).toBe(false);
    expect(
      definition.params.safeParse({ format: 'clob', files: ['a'], capturedAt: '2026-06-01T00:00:00' }).success,
    ).toBe(false);
    expect(definition.params.safeParse({ format: 'gamma-markets', files: ['a'], capturedAt }).success).toBe(false);
  });
});

describe('poly-data-v1', () => {
  const header =
    'createdAt,id,question,answer1,answer2,neg_risk,market_slug,token1,token2,condition_id,volume,ticker,closedTime';
  const line = (n: number, more: { token1?: string; id?: string; closed?: string } = {}): string =>
    [
      '2024-01-01T00:00:00.123456Z',
      more.id ?? `${n}.0`,
      '"Lakers, or not?"',
      'Yes',
      'No',
      'False',
      `lakers-${n}`,
      more.token1 ?? token(2 * n),
      token(2 * n + 1),
      hash(n),
      '10.5',
      'nba',
      more.closed ?? '2024-02-01 00:00:00+00',
    ].join(',');
  const csv = (...lines: string[]): string => [header, ...lines].map((text) => `${text}\n`).join('');
  const format = 'poly-data-v1';

  it('reads markets.csv and missing_markets.csv as one, where they agree', async () => {
    const result = await read({
      format,
      files: [await file(csv(line(1), line(2)), '.csv'), await file(csv(line(2), line(3)), '.csv')],
    });
    expect(await rowsOf(result, 'markets')).toMatchObject([
      { market: '1', event: 'nba', token0: token(2), createdAt: new Date('2024-01-01T00:00:00.123Z') },
      { market: '2', closedAt: new Date('2024-02-01T00:00:00Z') },
      { market: '3', category: 'other' },
    ]);
    const metrics = await result.metrics();
    expect(metrics.scalars).toMatchObject({ rows: 3, duplicates: 1, resolved: 0 });
    expect(metrics.quality?.map(({ rowsRead, rowsKept }) => [rowsRead, rowsKept])).toEqual([
      [2, 1],
      [2, 2],
    ]);
  });

  it('stops where they disagree on a token, and where the schema changes', async () => {
    const markets = await file(csv(line(1), line(2)), '.csv');
    const missing = await file(csv(line(3), line(4, { token1: token(2) })), '.csv');
    const error = await failure({ format, files: [markets, missing] });
    expect(formatError(error)).toContain(
      `${missing}:3: token ${token(2)} stands for two outcomes or markets; the other one is ${markets}:2`,
    );
    const changed = await file(csv(line(1), line(2), `${line(3)},x`, `${line(4)},x`), '.csv');
    expect(formatError(await failure({ format, files: [changed], maxRejected: 1 }))).toContain(
      `${changed}:4: the schema changes`,
    );
    const cut = await file(csv(line(1), line(2)).slice(0, -90), '.csv');
    expect((await failure({ format, files: [cut], maxRejected: 1 })).message).toContain('the last line is cut');
  });

  it('counts single rows of another length, and times that are none', async () => {
    const name = await file(csv(line(1, { closed: 'soon' }), 'a,b', line(2), line(3, { id: '3.5' })), '.csv');
    const result = await read({ format, files: [name], maxRejected: 0.5 });
    expect(await rejected(result)).toEqual([
      { reason: 'id: not a market number', count: 1, first: `${path.basename(name)}:5` },
      { reason: 'wrong number of columns', count: 1, first: `${path.basename(name)}:3` },
    ]);
    expect((await result.metrics()).quality?.[0]?.facts?.[2]).toMatchObject({ value: 1 });
  });
});

describe.skipIf(!shared)(`recorded markets (${whyNoShared})`, () => {
  it('reads 292 markets of five minutes with their payouts and fees', async () => {
    const result = await read({
      format: 'gamma-markets',
      files: [sharedFile('data', 'polymarket', 'gamma-markets-btc-5m-2026-07-24.jsonl.gz')],
    });
    expect((await result.metrics()).scalars).toMatchObject({
      rows: 292,
      resolved: 292,
      feeSchedules: 292,
      rejected: 0,
      doubted: 0,
    });
    const payouts = (await rowsOf(result, 'resolutions')).map(({ payout0 }) => payout0);
    expect(payouts.filter((payout) => payout === 1)).toHaveLength(140);
    const [fee] = await rowsOf(result, 'feeSchedules');
    expect(fee).toMatchObject({ rate: 0.07, exponent: 1, takerOnly: true, rebateShare: 0.2 });
  });
});
