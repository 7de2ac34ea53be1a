/**
 * `goldsky/orderFilled.csv` of the poly_data project, versions 1 and 2: OrderFilled events, one a row. Version 2 maps
 * the newer contracts' events to the same eight columns. `fee` and `orderHash` may stand beside them.
 */
import { FathomError } from '../../errors.ts';
import { quote } from '../../tables/duck.ts';
import { badFee, chainChecks, chainFields, feeUsd, partyFields, takerChecks } from './chain-fills.ts';
import { firstReason, notHash } from './checks.ts';
import type { RawTable } from './csv.ts';

export const orderFilledColumns = [
  'timestamp',
  'maker',
  'makerAssetId',
  'makerAmountFilled',
  'taker',
  'takerAssetId',
  'takerAmountFilled',
  'transactionHash',
] as const;

const chain = {
  makerAsset: 'makerAssetId',
  making: 'makerAmountFilled',
  takerAsset: 'takerAssetId',
  taking: 'takerAmountFilled',
};

/** What the numbers of a column `fee` are: a part of what the order took, or dollars. */
export type FeeUnit = 'received' | 'usd';

/** A query for checked fills: `row`, `reason`, `fingerprint` and the fields of a fill; the token has no market yet. */
export function orderFilledSql(raw: RawTable, feeUnit: FeeUnit | undefined): string {
  const names = raw.survey.header;
  const hasFee = names.includes('fee');
  if (hasFee && feeUnit === undefined)
    throw new FathomError('data', 'there is a column fee, and it is not said what its numbers are', {
      at: { file: raw.file, line: 1 },
      hint: 'set feeUnit: received (older contracts: a part of what the order took) or usd (newer ones)',
    });
  const seconds = `CASE WHEN regexp_full_match("timestamp", '[0-9]{1,18}') THEN "timestamp"::BIGINT END`;
  const during = (unit: number): string => `(${seconds}) BETWEEN ${1_577_836_800 * unit} AND ${4_102_444_799 * unit}`;
  const is = (unit: number): string => `coalesce(${during(unit)}, false)`;
  const { side, token, usd, shares } = chainFields(chain);
  const reason = firstReason([
    { reason: 'timestamp: milliseconds, not seconds', when: is(1e3) },
    { reason: 'timestamp: microseconds, not seconds', when: is(1e6) },
    { reason: 'timestamp: not seconds since 1970', when: `NOT ${is(1)}` },
    ...chainChecks(chain),
    ...takerChecks,
    notHash('transactionHash'),
    ...(hasFee ? [badFee('fee')] : []),
    ...(names.includes('orderHash') ? [notHash('orderHash')] : []),
  ]);
  const fields = names.map((name) => `coalesce("${name}", '')`).join(', ');
  return `SELECT file_row_number AS "row", file_row_number AS place, ${reason} AS reason, md5_number(concat_ws(chr(31), ${fields})) AS fingerprint,
      make_timestamp(CASE WHEN ${during(1)} THEN (${seconds}) * 1000000 END) AS time, ${token} AS token,
      ${partyFields}, ${side} AS side, ${usd} AS usd, ${shares} AS shares,
      ${hasFee ? feeUsd('fee', String(feeUnit === 'received'), chain) : 'NULL::DECIMAL(18, 6)'} AS fee,
      ${names.includes('orderHash') ? 'lower(orderHash)' : 'NULL::VARCHAR'} AS "order", lower(transactionHash) AS "transaction"
    FROM read_parquet(${quote(raw.parquet)}, file_row_number = true)`;
}

/** Refuses columns that nobody knows: a wider file is another format. */
export function refuseUnknownColumns(file: string, names: readonly string[]): void {
  const unknown = names.filter((name) => ![...orderFilledColumns, 'fee', 'orderHash', 'id'].includes(name));
  if (unknown.length > 0)
    throw new FathomError('data', `the header is not that of the format: unknown column ${unknown.join(', ')}`, {
      at: { file, line: 1 },
      hint: `Expected: ${orderFilledColumns.join(',')}, and perhaps id, orderHash, fee`,
    });
}
