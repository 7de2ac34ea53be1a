/** Reads what a settlement knows of markets and tokens into memory that worker threads share. */
import { factTable } from '../../facts/layout.ts';
import type { Duck } from '../../tables/duck.ts';
import { streamNumbers } from '../../tables/stream.ts';
import type { Tuple } from '../../tuple.ts';
import { feeCategories, type Knowledge } from './knowledge.ts';
import type { Sizes } from './numbering.ts';

/** After `numberAll`, with the views of `openSources`. */
export async function readKnowledge(
  duck: Duck,
  facts: string,
  sizes: Sizes,
  asOf: number | undefined,
): Promise<Knowledge> {
  const markets = await readMarkets(duck, sizes);
  const tokens = await readTokens(duck, sizes);
  const payout = doubles(tokens.market.length);
  for (let token = 0; token < payout.length; token++) {
    const half = [markets.half0, markets.half1][tokens.outcome[token] as number];
    payout[token] = half?.[tokens.market[token] as number] ?? Number.NaN;
  }
  return {
    named: sizes.tokens,
    ...markets,
    ...tokens,
    payout,
    ...(await readLastPrices(duck, facts, sizes, asOf)),
    ...(await readTerms(duck, sizes)),
  };
}

const doubles = (count: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * count));
const integers = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count));
const bytes = (count: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(count));

type Column = Float64Array | Int32Array | Int8Array | Uint8Array;

/** Fills `targets` with the columns of a query of DOUBLE, in the order of its rows. */
async function fill(duck: Duck, sql: string, rows: number, targets: readonly Column[]): Promise<void> {
  let offset = 0;
  await streamNumbers(duck, sql, rows, (columns, count) => {
    targets.forEach((target, c) => {
      target.set((columns[c] as Float64Array).subarray(0, count), offset);
    });
    offset += count;
  });
}

async function readMarkets(duck: Duck, { markets }: Sizes) {
  const [half0, half1, finalAt, knowableAt] = Array.from({ length: 4 }, () => doubles(markets)) as Tuple<
    Float64Array,
    4
  >;
  const [token0, token1, category] = [integers(markets), integers(markets), bytes(markets)];
  const list = feeCategories.map((name) => `'${name}'`).join(', ');
  const first = (outcome: number): string =>
    `coalesce(min(standsFor) FILTER (outcome = ${outcome}), -1)::DOUBLE AS token${outcome}`;
  await fill(
    duck,
    `SELECT 2 * r.payout0, 2 * r.payout1, epoch_us(coalesce(r.finalAt, r.knowableAt))::DOUBLE, epoch_us(r.knowableAt)::DOUBLE,
       coalesce(k.token0, -1), coalesce(k.token1, -1), (coalesce(list_position([${list}], m.category), ${feeCategories.length}) - 1)::DOUBLE
     FROM numbered_markets i LEFT JOIN listed m ON m.market = i.name LEFT JOIN outcomes r ON r.market = i.name
       LEFT JOIN (SELECT market, ${first(0)}, ${first(1)} FROM numbered_tokens GROUP BY market) k ON k.market = i.id
     ORDER BY i.id`,
    markets,
    [half0, half1, finalAt, knowableAt, token0, token1, category],
  );
  return { half0, half1, finalAt, knowableAt, token0, token1, category };
}

/** Tokens by number, and after them one without a name for each market. */
async function readTokens(duck: Duck, { tokens, markets }: Sizes) {
  const [market, standsFor] = [integers(tokens + markets), integers(tokens + markets)];
  const outcome = new Int8Array(new SharedArrayBuffer(tokens + markets)).fill(-1);
  await fill(
    duck,
    'SELECT market::DOUBLE, standsFor::DOUBLE, coalesce(outcome, -1)::DOUBLE FROM numbered_tokens ORDER BY id',
    tokens,
    [market, standsFor, outcome],
  );
  for (let m = 0; m < markets; m++) {
    market[tokens + m] = m;
    standsFor[tokens + m] = tokens + m;
  }
  return { market, standsFor, outcome };
}

/** Last prices of tokens whose outcome is open; others are not marked. */
async function readLastPrices(duck: Duck, facts: string, { tokens, markets }: Sizes, asOf: number | undefined) {
  const [lastUsd, lastShares, lastAt] = Array.from({ length: 3 }, () =>
    doubles(tokens + markets).fill(Number.NaN),
  ) as Tuple<Float64Array, 3>;
  await fill(
    duck,
    `SELECT p.usd, p.shares, p.at FROM numbered_tokens i LEFT JOIN (
       SELECT k.standsFor AS id, arg_max(f.usd, f.seq)::DOUBLE AS usd, arg_max(f.shares, f.seq)::DOUBLE AS shares,
         max(f."time")::DOUBLE AS at
       FROM ${factTable(facts)} f JOIN (SELECT t.id, t.standsFor FROM numbered_tokens t
           JOIN numbered_markets m ON m.id = t.market WHERE t.outcome IS NULL OR m.name NOT IN (SELECT market FROM outcomes)) k ON k.id = f.token
       WHERE f.shares > 0 ${asOf === undefined ? '' : `AND f."time" < ${asOf}`} GROUP BY k.standsFor) p ON p.id = i.id
     ORDER BY i.id`,
    tokens,
    [lastUsd, lastShares, lastAt],
  );
  return { lastUsd, lastShares, lastAt };
}

async function readTerms(duck: Duck, { markets }: Sizes) {
  const relation = 'terms t JOIN numbered_markets i ON i.name = t.market';
  const [counted] = await duck.rows<{ rows: number }>(`SELECT count(*)::DOUBLE AS "rows" FROM ${relation}`);
  const rows = counted?.rows ?? 0;
  const [of, termsFrom, termsRate] = [integers(rows), doubles(rows), doubles(rows)];
  const [termsExponent, termsTakerOnly, termsRebate] = [doubles(rows), bytes(rows), doubles(rows)];
  await fill(
    duck,
    `SELECT i.id::DOUBLE, epoch_us(t.effectiveFrom)::DOUBLE, round(t.rate * 1e6), t.exponent, t.takerOnly::INTEGER::DOUBLE,
       round(t.rebateShare * 1e6) FROM ${relation} ORDER BY i.id, t.effectiveFrom`,
    rows,
    [of, termsFrom, termsRate, termsExponent, termsTakerOnly, termsRebate],
  );
  const termsOf = integers(markets + 1);
  for (const market of of) termsOf[market + 1] = (termsOf[market + 1] as number) + 1;
  for (let m = 0; m < markets; m++) termsOf[m + 1] = (termsOf[m + 1] as number) + (termsOf[m] as number);
  return { termsOf, termsFrom, termsRate, termsExponent, termsTakerOnly, termsRebate };
}
