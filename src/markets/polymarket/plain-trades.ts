/** The quick way from plain lines of poly_data's trades (see `plainLineEnd`) to fills. */
import { quote } from '../../tables/duck.ts';
import * as check from './checks.ts';
import { exchangeContracts } from './poly-data.ts';

/**
 * A query for the tokens of canonical markets by the whole number `key`, from the number of the market and the place of
 * the outcome: finding numbers that lie close together takes no comparison of text, and keeps the order of the fills.
 *
 * @param markets relation of canonical markets
 */
export function tokensByNumber(markets: string): string {
  const outcome = (index: 0 | 1): string =>
    `SELECT ${keyOf('market', index.toString())} AS key, market, event, token${index} AS token,
       outcome${index} AS outcome, ${index}::INTEGER AS outcomeIndex FROM ${markets}`;
  return `(SELECT * FROM (${outcome(0)} UNION ALL ${outcome(1)}) WHERE key IS NOT NULL)`;
}

const keyOf = (market: string, index: string): string => `try_cast(${market} AS BIGINT) * 2 + ${index}`;

/** Types in which columns of plain lines are read; those that are not named here stay text. */
export const plainTypes: Readonly<Record<string, string>> = {
  timestamp: 'TIMESTAMP',
  price: 'DOUBLE',
  usd_amount: 'DECIMAL(18, 6)',
  token_amount: 'DECIMAL(18, 6)',
};

const exchanges = `(${exchangeContracts.map(quote).join(', ')})`;

/**
 * A query for the good fills of a relation of columns in `plainTypes` and their number `row`, every row of which is a
 * plain line: the same rows and values as those without a reason in `polyDataTrades`, which says what is wrong with the
 * others.
 *
 * @param tokens relation of `tokensByNumber`
 */
export function plainTrades(relation: string, tokens: string): string {
  return `SELECT "row", time, market, event, token, outcome, outcomeIndex, wallet,
      CASE WHEN taken THEN NULL ELSE other END AS counterparty, CASE WHEN taken THEN 'taker' ELSE 'maker' END AS role,
      side, usd, shares, "transaction"
    FROM (SELECT "row", "timestamp" AS time, market_id,
        ${keyOf('market_id', "CASE nonusdc_side WHEN 'token1' THEN 0 ELSE 1 END")} AS key, maker AS wallet,
        taker AS other, taker IN ${exchanges} AS taken, maker_direction AS side, taker_direction AS otherSide,
        price AS quotient, usd_amount AS usd, token_amount AS shares, transactionHash AS "transaction"
      FROM ${relation}) fill JOIN ${tokens} USING (key)
    WHERE market = market_id AND NOT (${check.timeOutside('timestamp', 'time').when}) AND shares > 0
      AND quotient BETWEEN 0 AND 1 AND abs(quotient - usd::DOUBLE / shares::DOUBLE) <= 1e-6
      AND side <> otherSide AND wallet NOT IN ${exchanges}`;
}
