/**
 * Fills as the poly_data project processes them from the chain (version 1). One row is the maker's own fill of an
 * OrderFilled event; each match has one more row whose taker is an exchange contract, which is the fill of the wallet
 * that took. So `maker` is always the wallet, and rows with an exchange as taker are the takers' fills.
 */
import { type Duck, quote } from '../../tables/duck.ts';
import { categorySql } from '../categories.ts';
import * as check from './checks.ts';
import type { RawTable } from './csv.ts';

/** The exchange contracts, old and new, plain and negative-risk. They are never wallets. */
export const exchangeContracts = [
  '0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e',
  '0xc5d563a36ae78145c45a50134d48a1215220f80a',
  '0xe111180000d2663c0091e4f400237545b87b996b',
  '0xe2222d279d744050d28e00520010520000310f59',
] as const;

export const polyDataTradeColumns = [
  'timestamp',
  'market_id',
  'maker',
  'taker',
  'nonusdc_side',
  'maker_direction',
  'taker_direction',
  'price',
  'usd_amount',
  'token_amount',
  'transactionHash',
] as const;

export const polyDataMarketColumns = [
  'createdAt',
  'id',
  'question',
  'answer1',
  'answer2',
  'neg_risk',
  'market_slug',
  'token1',
  'token2',
  'condition_id',
  'volume',
  'ticker',
  'closedTime',
] as const;

const exchanges = `(${exchangeContracts.map(quote).join(', ')})`;

/** Writes `checked` of the markets file: `row`, `reason` and the canonical fields; a market listed twice counts once. */
export async function checkPolyDataMarkets(duck: Duck, raw: RawTable, checked: string): Promise<void> {
  const id = check.marketNumber('id');
  const reason = check.firstReason([
    { reason: 'id: not a market number', when: `(${id}) IS NULL` },
    check.absent('question'),
    check.absent('answer1'),
    check.absent('answer2'),
    check.notToken('token1'),
    check.notToken('token2'),
  ]);
  await duck.run(`COPY (SELECT *, CASE WHEN reason IS NULL THEN row_number() OVER
      (PARTITION BY market, reason IS NULL ORDER BY "row") END AS occurrence FROM (
      SELECT file_row_number AS "row", ${reason} AS reason, ${id} AS market,
        coalesce(nullif(trim(ticker), ''), ${id}) AS event, question, market_slug AS slug,
        ${categorySql("question || ' ' || coalesce(market_slug, '')")} AS category,
        answer1 AS outcome0, answer2 AS outcome1, token1 AS token0, token2 AS token1,
        ${check.utcTime('createdAt')} AS createdAt, ${check.utcTime('closedTime')} AS closedAt,
        createdAt IS NOT NULL AND (${check.utcTime('createdAt')}) IS NULL
          OR closedTime IS NOT NULL AND (${check.utcTime('closedTime')}) IS NULL AS "unreadable"
      FROM read_parquet(${quote(raw.parquet)}, file_row_number = true)) ORDER BY "row")
    TO ${quote(checked)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
}

/** A query for the canonical markets of a checked markets file. */
export function polyDataMarkets(checkedMarkets: string): string {
  return `SELECT market, event, question, slug, category, outcome0, outcome1, token0, token1, createdAt, closedAt
    FROM read_parquet(${quote(checkedMarkets)}) WHERE reason IS NULL AND occurrence = 1`;
}

/**
 * A query for the fills of a relation of text columns and their number `row`: `row`, `reason` (null for good rows),
 * `fingerprint` (64 bits of all fields) and the fields of a fill, with the market's own from `markets`.
 *
 * @param markets relation of canonical markets
 */
export function polyDataTrades(relation: string, markets: string): string {
  const reason = check.firstReason([
    check.timeOutside('timestamp', 'time'),
    ...check.badAmount('token_amount'),
    check.zeroAmount('token_amount'),
    ...check.badAmount('usd_amount'),
    ...check.notNumber('price'),
    check.priceOutside('price'),
    { reason: 'price: not usd_amount / token_amount', when: `NOT coalesce(${priceAgrees}, false)` },
    check.notOneOf('maker_direction', ['BUY', 'SELL']),
    check.notOneOf('taker_direction', ['BUY', 'SELL']),
    { reason: 'maker_direction and taker_direction: the same', when: 'maker_direction = taker_direction' },
    check.notAddress('maker'),
    check.notAddress('taker'),
    { reason: 'maker: an exchange contract', when: `wallet IN ${exchanges}` },
    check.notHash('transactionHash'),
    { reason: 'market_id: not in the markets file', when: 'm.market IS NULL' },
    check.notOneOf('nonusdc_side', ['token1', 'token2']),
  ]);
  const fields = polyDataTradeColumns.map((name) => `"${name}"`).join(', ');
  const first = "nonusdc_side = 'token1'";
  return `SELECT "row", CASE WHEN coalesce(${good}, false) THEN NULL ELSE ${reason} END AS reason, fingerprint, time,
      m.market, m.event, CASE WHEN ${first} THEN m.token0 ELSE m.token1 END AS token,
      CASE WHEN ${first} THEN m.outcome0 ELSE m.outcome1 END AS outcome,
      CASE WHEN ${first} THEN 0 ELSE 1 END::INTEGER AS outcomeIndex, wallet,
      CASE WHEN other NOT IN ${exchanges} THEN other END AS counterparty,
      CASE WHEN other IN ${exchanges} THEN 'taker' ELSE 'maker' END AS role, maker_direction AS side, usd, shares,
      lower(transactionHash) AS "transaction"
    FROM (SELECT *, ${quickTime} AS time, ${check.amount('usd_amount')} AS usd, ${check.amount('token_amount')} AS shares,
        lower(maker) AS wallet, lower(taker) AS other, try_cast(price AS DOUBLE) AS quotient,
        ${check.marketNumber('market_id')} AS number, hash(${fields}) AS fingerprint
      FROM ${relation}) t LEFT JOIN ${markets} m ON m.market = t.number`;
}

/**
 * SQL of `orderGroup` for fills of `polyDataTrades`: fills of a wallet are of one order if they have transaction, token
 * and side in common. The first 15 digits of the transaction tell it from others; with the market, the outcome and the
 * side in the lower bits, no two tokens or sides of one transaction have the same number.
 */
export const polyDataOrder = `xor(('0x' || substr("transaction", 3, 15))::BIGINT,
    coalesce(try_cast(market AS BIGINT) % 1000000000000000, 0) * 4 + outcomeIndex * 2 + (side = 'SELL')::INTEGER)`;

/** The time as poly_data writes it, read by its one format; anything else by `utcTime`, which takes longer. */
const quickTime = `coalesce(CASE WHEN length("timestamp") = 26
    THEN try_strptime("timestamp", '%Y-%m-%dT%H:%M:%S.%f') END, ${check.utcTime('timestamp')})`;

const priceAgrees = 'abs(quotient - usd::DOUBLE / shares::DOUBLE) <= 1e-6';

/** True only of rows that no check would refuse; it spares the good ones, which are nearly all, the single checks. */
const good = [
  check.timeOutside('timestamp', 'time'),
  check.notAddress('maker'),
  check.notAddress('taker'),
  check.notHash('transactionHash'),
  ...check.notNumber('price').slice(1),
  check.notOneOf('nonusdc_side', ['token1', 'token2']),
]
  .map(({ when }) => `NOT (${when})`)
  .concat(
    'shares > 0',
    'usd >= 0',
    "NOT starts_with(usd_amount, '-')",
    'quotient BETWEEN 0 AND 1',
    priceAgrees,
    "(maker_direction = 'BUY' AND taker_direction = 'SELL' OR maker_direction = 'SELL' AND taker_direction = 'BUY')",
    `wallet NOT IN ${exchanges}`,
    'm.market IS NOT NULL',
  )
  .join(' AND ');
