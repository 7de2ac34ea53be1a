/**
 * Raw logs of the exchange contracts as a recorder stores them: OrderFilled and OrdersMatched, their arguments as JSON
 * in a field of CSV.
 *
 * OrdersMatched repeats the taker's OrderFilled. Where that one is not in the file, because the recording began or
 * lost a row in the middle of a transaction, OrdersMatched stands in for it (its fee is unknown); else it only confirms.
 * The file has no times of blocks: a transaction's time is when the first of its logs was stored,
 * and within it the recorder's own number tells the order.
 */
import { type Duck, quote } from '../../tables/duck.ts';
import { badFee, chainChecks, chainFields, exchanges, feeUsd, partyFields, takerChecks } from './chain-fills.ts';
import { absent, firstReason, notHash, timeOutside, utcTime } from './checks.ts';
import { copyRows } from './copy-rows.ts';
import type { RawTable } from './csv.ts';

export const logColumns = [
  'id',
  'transaction_hash',
  'block_number',
  'contract_address',
  'event_name',
  'args',
  'created_at',
] as const;

const chain = { makerAsset: 'makerAssetId', making: 'making', takerAsset: 'takerAssetId', taking: 'taking' };
const argumentNames = ['maker', 'taker', 'makerAssetId', 'making', 'takerAssetId', 'taking', 'orderHash', 'fee'];

/** The older two contracts take fees out of what an order takes. */
const receivedFee = `lower(contract_address) IN ('0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e', '0xc5d563a36ae78145c45a50134d48a1215220f80a')`;

export interface LogCounts {
  /** OrdersMatched that only repeat the taker's OrderFilled, and those that stand in for it. */
  readonly confirming: number;
  readonly standingIn: number;
  readonly transactions: number;
  /** Transactions whose makers' tokens do not add up to the taker's: part of them is not in the file. */
  readonly cut: number;
}

/**
 * Writes to `target`, Parquet: `row`, `reason`, `fingerprint`, `isFill` and the fields of a fill. Good rows that are no fills
 * confirm others, or belong to transactions that are not whole and are left out (`dropCut`).
 */
export async function checkLogs(duck: Duck, raw: RawTable, dropCut: boolean, target: string): Promise<LogCounts> {
  const { side, token, usd, shares } = chainFields(chain);
  const time = utcTime('created_at');
  const reason = firstReason([
    {
      reason: 'event_name: neither OrderFilled nor OrdersMatched',
      when: "NOT coalesce(event_name IN ('OrderFilled', 'OrdersMatched'), false)",
    },
    {
      reason: 'contract_address: not an exchange contract',
      when: `NOT coalesce(lower(contract_address) IN ${exchanges}, false)`,
    },
    notHash('transaction_hash'),
    { reason: 'args: not JSON', when: 'NOT coalesce(valid, false)' },
    absent('created_at'),
    { reason: 'created_at: names no zone', when: "NOT regexp_matches(created_at, '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')" },
    timeOutside('created_at', time),
    ...chainChecks(chain),
    ...takerChecks.map(({ reason, when }) => ({ reason, when: `event_name = 'OrderFilled' AND ${when}` })),
    notHash('orderHash'),
    badFee('fee'),
  ]);
  const args = argumentNames
    .map((name) => `CASE WHEN json_valid(args) THEN json_extract_string(args, '$.${name}') END AS "${name}"`)
    .join(', ');
  // The recorder's own number and time do not make a log another one.
  const same = ['transaction_hash', 'contract_address', 'event_name', 'args'].map((name) => `coalesce("${name}", '')`);
  const rows = `${target}.rows`;
  await copyRows(
    duck,
    `SELECT file_row_number AS "row", coalesce(try_cast(id AS BIGINT), file_row_number) AS place, ${reason} AS reason, md5_number(concat_ws(chr(31), ${same.join(', ')})) AS fingerprint,
      event_name, ${time} AS stored, ${token} AS token, ${partyFields}, ${side} AS side, ${usd} AS usd, ${shares} AS shares,
      ${feeUsd('fee', receivedFee, chain)} AS fee, lower(orderHash) AS "order", lower(transaction_hash) AS "transaction"
    FROM (SELECT *, json_valid(args) AS valid, ${args} FROM read_parquet(${quote(raw.parquet)}, file_row_number = true))`,
    rows,
  );
  const checked = `read_parquet(${quote(rows)})`;
  // A match and the taker's own fill are the same in all but the fee.
  await copyRows(
    duck,
    `WITH good AS (SELECT * FROM ${checked} WHERE reason IS NULL),
    own AS (SELECT "transaction", "order", any_value(usd) AS usd, any_value(shares) AS shares FROM good
      WHERE event_name = 'OrderFilled' AND role = 'taker' GROUP BY "transaction", "order"),
    times AS (SELECT "transaction", min(stored) AS time FROM good GROUP BY "transaction"),
    joined AS (SELECT l."row", l.place, CASE WHEN l.reason IS NULL AND l.event_name = 'OrdersMatched' AND (o.usd <> l.usd OR o.shares <> l.shares)
          THEN 'OrdersMatched: differs from the OrderFilled of its order' ELSE l.reason END AS reason,
        l.fingerprint, t.time, l.token, l.wallet, CASE WHEN l.event_name = 'OrdersMatched' THEN 'taker' ELSE l.role END AS role,
        l.counterparty, l.side, l.usd, l.shares, l.fee, l."order", l."transaction", l.event_name = 'OrdersMatched' AS matched,
        l.event_name = 'OrdersMatched' AND o."order" IS NOT NULL AS confirms
      FROM ${checked} l LEFT JOIN own o ON o."transaction" = l."transaction" AND o."order" = l."order"
        LEFT JOIN times t ON t."transaction" = l."transaction"),
    sums AS (SELECT "transaction", coalesce(sum(shares) FILTER (role = 'taker'), 0) <> coalesce(sum(shares) FILTER (role = 'maker'), 0) AS cut
      FROM (SELECT DISTINCT ON (fingerprint) * FROM joined WHERE reason IS NULL AND NOT confirms) GROUP BY "transaction")
    SELECT joined.*, coalesce(cut, false) AS cut, NOT confirms AND NOT (${dropCut} AND coalesce(cut, false)) AS "isFill"
    FROM joined LEFT JOIN sums USING ("transaction")`,
    target,
  );
  const [counts] =
    await duck.rows<LogCounts>(`SELECT count(*) FILTER (reason IS NULL AND confirms)::DOUBLE AS confirming,
      count(*) FILTER (reason IS NULL AND matched AND NOT confirms)::DOUBLE AS "standingIn",
      (count(DISTINCT "transaction") FILTER (reason IS NULL))::DOUBLE AS transactions,
      (count(DISTINCT "transaction") FILTER (reason IS NULL AND cut))::DOUBLE AS cut FROM read_parquet(${quote(target)})`);
  return counts as LogCounts;
}
