/**
 * Markets as the venue's order book service (CLOB) gives them: pages of JSON, or the CSV of poly_data version 2, whose
 * fields are the same, nested ones as JSON.
 *
 * Which payout is taken: `closed`, and exactly one token is the `winner`, or `is_50_50_outcome` and none is. Nothing is
 * said of when, so it is knowable only from when the answer was captured.
 */
import { microsecondsOf } from '../records/times.ts';
import {
  conditionOf,
  isFields,
  listOf,
  type MarketFacts,
  type MarketReader,
  type Refusal,
  textOr,
  twoOutcomes,
} from './market-facts.ts';

/** Columns of the CSV that are read; others may stand beside them. */
export const clobColumns = [
  'condition_id',
  'question',
  'market_slug',
  'closed',
  'neg_risk',
  'neg_risk_market_id',
  'is_50_50_outcome',
  'end_date_iso',
  'tokens',
] as const;

/** @param capturedAt when the answer was recorded, microseconds since 1970 UTC */
export const clobMarkets =
  (capturedAt: number): MarketReader =>
  (record) => [clobMarket(record, capturedAt)];

/** CSV has no booleans: data frames write them in one of two spellings. */
function flag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'True') return true;
  if (value === 'false' || value === 'False') return false;
  return undefined;
}

function clobMarket(raw: unknown, capturedAt: number): MarketFacts | Refusal {
  if (!isFields(raw)) return { reason: raw === undefined ? 'not JSON' : 'not an object' };
  const market = conditionOf(raw['condition_id']);
  if (market === undefined) return { reason: 'condition_id: not a hash' };
  const question = textOr(raw['question']);
  if (question === null) return { reason: 'question: empty' };
  const tokens = listOf(raw['tokens']);
  if (tokens === undefined) return { reason: 'tokens: neither a list nor the JSON of one' };
  if (!tokens.every(isFields)) return { reason: 'tokens: not objects' };
  const outcomes = twoOutcomes(
    tokens.map((token) => token['outcome']),
    tokens.map((token) => token['token_id']),
    { names: 'tokens.outcome', tokens: 'tokens.token_id' },
  );
  if ('reason' in outcomes) return outcomes;
  for (const { price } of tokens)
    if (price !== undefined && price !== null && !(typeof price === 'number' && price >= 0 && price <= 1))
      return { reason: 'tokens.price: outside [0, 1]' };
  const closed = flag(raw['closed']);
  if (closed === undefined) return { reason: 'closed: not true or false' };
  const winners = tokens.map((token) => token['winner'] === true);
  const won = winners.filter(Boolean).length;
  const half = flag(raw['is_50_50_outcome']) === true;
  if (won > 1) return { reason: 'tokens.winner: both' };
  if (won === 1 && half) return { reason: 'tokens.winner: one, though the outcome is 50-50' };
  if (won === 1 && !closed) return { reason: 'tokens.winner: one, though the market is open' };

  const payout0 = won === 1 ? Number(winners[0]) : half && closed ? 0.5 : null;
  const negRisk = flag(raw['neg_risk']) ?? null;
  const group = textOr(raw['neg_risk_market_id'])?.toLowerCase() ?? null;
  const endDate = textOr(raw['end_date_iso']);
  const endAt = endDate === null ? null : (microsecondsOf(endDate) ?? null);
  return {
    market,
    event: group ?? market,
    question,
    slug: textOr(raw['market_slug']),
    ...outcomes,
    createdAt: null,
    closedAt: null,
    updatedAt: capturedAt,
    payout0,
    finalAt: null,
    knowableAt: payout0 === null ? null : capturedAt,
    doubt: closed && payout0 === null ? 'closed, but it names no winner' : null,
    eventFacts: group === null ? null : { title: null, slug: null, negRisk, startAt: null, endAt, closedAt: null },
    fee: null,
    unreadable: endDate !== null && endAt === null,
  };
}
