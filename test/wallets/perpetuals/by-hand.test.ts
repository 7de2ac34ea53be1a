/** Every feature of a small story, worked out by hand. */
import { beforeAll, describe, expect, it } from 'vitest';
import definition from '../../../src/stages/features-hyperliquid.ts';
import run from '../../../src/stages/run/features-hyperliquid.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { perpetualFeatures } from '../../../src/wallets/perpetuals/profile.ts';
import {
  type AccountFill,
  book,
  candle,
  contextTables,
  importPerpetuals,
  inputsOf,
  line,
  match,
  quote,
  T0,
  wallet,
} from '../../support/perpetuals.ts';
import { runStage, type StageResult } from '../../support/stage.ts';

const [A, B, C] = ['a', 'b', 'c'].map(wallet) as [string, string, string];

const lines = [
  // One rising candle, known a second after its end, and one falling.
  candle('BTC', 0, 61, [100, 110, 90, 105], 10),
  candle('BTC', 1, 121, [105, 106, 100, 100], 20),
  quote('BTC', 69.9, 70, [99, 4], [101, 2]),
  book(
    'BTC',
    69.9,
    70,
    [
      [99, 4],
      [98, 6],
    ],
    [
      [101, 2],
      [102, 3],
      [104, 5],
    ],
  ),
  // Received in time to be seen ten seconds after the purchase at 70.2, unlike the next.
  quote('BTC', 78, 79, [101, 1], [103, 1]),
  quote('BTC', 80, 80.5, [500, 1], [501, 1]),
  quote('BTC', 88, 89, [101, 1], [103, 4]),
  // Of another coin: nobody may use them.
  quote('SOL', 129, 129, [1, 1], [2, 1]),
  candle('SOL', 2, 190, [1, 2, 1, 2], 7),
  line(150, {
    blockNumber: '0x7',
    hash: `0x${'7'.repeat(64)}`,
    from: A,
    to: B,
    value: '0xde0b6b3a7640000',
    input: '0xabcd',
  }),
  match(
    {
      coin: 'BTC',
      side: 'A',
      price: 100,
      size: 1,
      time: 400,
      receivedAt: 400.3,
      buyer: B,
      seller: C,
      hash: `0x${'1'.repeat(64)}`,
    },
    1,
  ),
  match(
    {
      coin: 'BTC',
      side: 'A',
      price: 100,
      size: 1,
      time: 600,
      receivedAt: 600.3,
      buyer: C,
      seller: B,
      hash: `0x${'2'.repeat(64)}`,
    },
    2,
  ),
];

const fills: AccountFill[] = [
  // One order that takes two levels: one execution of 3 for 304 USD.
  { coin: 'BTC', side: 'B', crossed: true, price: 101, size: 2, time: 70.2, start: 0, fee: 0.1, order: 1 },
  { coin: 'BTC', side: 'B', crossed: true, price: 102, size: 1, time: 70.2, start: 2, fee: 0.05, order: 1 },
  { coin: 'BTC', side: 'A', crossed: false, price: 103, size: 1, time: 90, start: 3, pnl: 1.5, fee: 0.01, order: 2 },
  {
    coin: 'ETH',
    side: 'B',
    crossed: false,
    price: 50,
    size: 10,
    time: 130,
    start: -10,
    pnl: -20,
    fee: -0.05,
    order: 3,
  },
  { coin: 'BTC', side: 'A', crossed: true, price: 100, size: 4, time: 200, start: 2, pnl: -2.5, fee: 0.2, order: 4 },
];

type Row = Record<string, number | null>;
let made: StageResult;
let rows: Map<string, Row>;

async function featuresOf(
  tables: readonly (typeof contextTables)[number][],
  more: object = {},
): Promise<Map<string, Row>> {
  const asOf = { from: '2025-03-01T00:01:40Z', every: '100s', lookback: '10m' };
  const result = await runStage(definition, run, { params: { asOf, ...more }, inputs: inputsOf(made, tables) });
  const table = await readParquet(result.path('table'));
  return new Map(
    table.rows.map((row) => [
      `${(row['wallet'] as string)[2]} ${((row['asOf'] as Date).getTime() - T0) / 1000}`,
      row as Row,
    ]),
  );
}

beforeAll(async () => {
  made = await importPerpetuals(lines, { [A]: fills });
  rows = await featuresOf(contextTables);
});

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));

function expectRow(key: string, expected: Row): void {
  const row = rows.get(key) as Row;
  expect(row, key).toBeDefined();
  for (const [name, value] of Object.entries(expected))
    if (value === null) expect(row[name], name).toBeNull();
    else expect(row[name], name).toBeCloseTo(value, 9);
}

/** Purchase at 101.33 against a mid of 100, sale at 103 against one of 102. */
const slippage = [304 / 3 / 100 - 1, 1 / 102];
const usd = [304, 103, 500, 400];

/** As of 300 seconds: all five fills of A, four executions. */
const story: Row = {
  fillCount: 5,
  executionCount: 4,
  ageDays: (300 - 70.2) / 86_400,
  executionsPerDay: 4 * 144,
  coinCount: 2,
  counterpartyCount: null,
  coinDiversity: 1 - (807 ** 2 + 500 ** 2) / 1307 ** 2,
  counterpartyDiversity: null,
  burstiness: deviation([19.8, 40, 70]) / mean([19.8, 40, 70]),
  hourEntropy: 0,
  totalUsd: 1307,
  meanUsd: 326.75,
  maxUsd: 500,
  usdDeviation: deviation(usd),
  // Four bins of one each.
  sizeEntropy: Math.log10(4),
  buyShare: 0.5,
  // Both fills of the first order open a long position; the last turns it into a short one.
  longShare: 2 / 3,
  // Buy, sell, sell in BTC; the one in ETH has none before it.
  flipRate: 0.5,
  spotFillCount: 0,
  spotUsd: 0,
  quotedShare: 0.5,
  slippageMean: mean(slippage),
  slippageDeviation: deviation(slippage),
  takerSlippageBps: 1e4 * (304 / 300 - 1),
  makerCaptureBps: 1e4 / 102,
  bookWalkBps: 1e4 * (304 / 300 - 1),
  depthShareMean: 0.3,
  depthShareMax: 0.3,
  // From 100 to 102.
  priceImpactBps: 200,
  // The best offer was of 4 coins at 103; 1 of them was sold.
  orderBookParticipation: 0.25,
  // With the rise of 5 %: 0.5; against it; with the fall of 5 in 105.
  momentumScore: (0.5 + 0 + 50 / 105) / 3,
  meanReversionScore: (0 + 0.5 + 0) / 3,
  volatilityScore: (1 + 1 + 60 / 105) / 3,
  spreadTightness: 0,
  makerShare: 0.5,
  twoSidedness: 0,
  marketMakerScore: 0,
  candleVolatilityMean: 6 / 105,
  candleVolatilityMax: 6 / 105,
  candleVolatilityDeviation: 0,
  candleMomentumMean: -5 / 105,
  candleMomentumMax: -5 / 105,
  candleMomentumDeviation: 0,
  candleTrendMean: 5 / 6,
  candleTrendMax: 5 / 6,
  candleTrendDeviation: 0,
  candleVolumeMean: 20,
  candleVolumeMax: 20,
  candleVolumeDeviation: 0,
  positiveMomentumRatio: 0,
  positionChainShare: 1,
  reductionShare: (103 + 500 + 200) / 1307,
  closedPnlUsd: -21,
  profitableCloseShare: 1 / 3,
  feesUsd: 0.31,
  // The position of ETH was opened before the data.
  holdingHours: (103 * 19.8 + 200 * 129.8) / 303 / 3600,
  maxExposureUsd: 306,
  evmTransactionCount: 1,
  contractInteractionCount: 1,
  evmValueHype: 1,
};

describe('features of perpetual wallets, by hand', () => {
  it('are all of them worked out here', () => {
    expect(new Set(Object.keys(story))).toEqual(new Set(perpetualFeatures.map(({ name }) => name)));
  });

  it('agree as of 300 seconds', () => {
    expectRow('a 300', story);
  });

  it('know nothing of what was known later', () => {
    // As of 100 the candle that holds both executions was still forming, and nobody had recorded the chain.
    expectRow('a 100', {
      fillCount: 3,
      executionCount: 2,
      priceImpactBps: 200,
      candleVolatilityMean: null,
      candleMomentumDeviation: null,
      positiveMomentumRatio: null,
      evmTransactionCount: null,
      contractInteractionCount: null,
      evmValueHype: null,
      // Two executions have one gap.
      burstiness: null,
      feesUsd: 0.16,
    });
    // The fill at 200 is not before 200.
    expectRow('a 200', { fillCount: 4, closedPnlUsd: -18.5, candleVolumeMean: 20, evmTransactionCount: 1 });
    expect(rows.has('b 400')).toBe(false);
  });

  it('leave unknown what trades of the feed do not tell', () => {
    expectRow('b 500', {
      fillCount: 1,
      makerShare: 1,
      counterpartyCount: 1,
      counterpartyDiversity: 0,
      longShare: null,
      positionChainShare: null,
      reductionShare: null,
      closedPnlUsd: null,
      feesUsd: null,
      holdingHours: null,
      maxExposureUsd: null,
      slippageMean: null,
      // A purchase at 400 after the fall that was known at 121.
      momentumScore: 0,
      meanReversionScore: 50 / 105,
      // Somebody's transactions were recorded in the window; this wallet sent none.
      evmTransactionCount: 0,
      evmValueHype: 0,
    });
    expectRow('c 500', { makerShare: 0, twoSidedness: null, marketMakerScore: 0 });
  });

  it('are unknown, never 0, where quotes, books or candles are missing', async () => {
    const bare = (await featuresOf([])).get('a 300') as Row;
    const unknown = perpetualFeatures.map(({ name }) => name).filter((name) => bare[name] === null);
    expect(unknown).toEqual([
      'counterpartyCount',
      'counterpartyDiversity',
      ...perpetualFeatures
        .map(({ name }) => name)
        .filter((name) => /lippage|makerCapture|bookWalk|depthShare|Impact|Participation/.test(name)),
      'momentumScore',
      'meanReversionScore',
      'volatilityScore',
      'spreadTightness',
      ...perpetualFeatures.map(({ name }) => name).filter((name) => /^candle|^positiveMomentum/.test(name)),
      'evmTransactionCount',
      'contractInteractionCount',
      'evmValueHype',
    ]);
    expect(bare['quotedShare']).toBe(0);
    const withoutBooks = (await featuresOf(['quotes', 'candles'])).get('a 300') as Row;
    expect(withoutBooks).toMatchObject({ bookWalkBps: null, depthShareMean: null });
    expect(withoutBooks['takerSlippageBps']).toBeCloseTo(story['takerSlippageBps'] as number, 9);
  });

  it('take no quote, book or candle that is too old', async () => {
    const strict = (await featuresOf(contextTables, { maxQuoteAge: '1s', maxBookAge: '1s', maxCandleAge: '10s' })).get(
      'a 300',
    ) as Row;
    // The purchase at 70.2 still has its quote of 70, the sale at 90 that of 89; the one of 79 is not fresh at 80.2.
    expect(strict).toMatchObject({ quotedShare: 0.5, priceImpactBps: null });
    expect(strict['momentumScore']).toBeCloseTo(0.5, 9);
  });
});
