/**
 * Markets of poly_data version 1: `markets.csv`, and `missing_markets.csv` of those that a trade named later. A CSV of
 * text; it tells no payouts.
 */
import { microsecondsOf } from '../records/times.ts';
import { isFields, type MarketReader, textOr, twoOutcomes } from './market-facts.ts';

export const polyDataMarkets: MarketReader = function* (record) {
  if (!isFields(record)) return;
  // Data frames turn a number into 253591.0; 253591.6 is no market.
  const market = /^([0-9]+)(?:\.0*)?$/.exec(textOr(record['id']) ?? '')?.[1];
  const question = textOr(record['question']);
  const outcomes = twoOutcomes([record['answer1'], record['answer2']], [record['token1'], record['token2']], {
    names: 'answer1, answer2',
    tokens: 'token1, token2',
  });
  if (market === undefined) yield { reason: 'id: not a market number' };
  else if (question === null) yield { reason: 'question: empty' };
  else if ('reason' in outcomes) yield outcomes;
  else {
    // Its times are UTC, with a zone or without.
    const [createdAt, closedAt] = [record['createdAt'], record['closedTime']].map(
      (value) => microsecondsOf(value) ?? microsecondsOf(`${String(value)}Z`) ?? null,
    );
    const ticker = textOr(record['ticker']);
    yield {
      market,
      event: ticker ?? market,
      question,
      slug: textOr(record['market_slug']),
      ...outcomes,
      createdAt: createdAt ?? null,
      closedAt: closedAt ?? null,
      updatedAt: null,
      payout0: null,
      finalAt: null,
      knowableAt: null,
      doubt: null,
      // Its column neg_risk says something else: whether outcomes may be added later.
      eventFacts:
        ticker === null
          ? null
          : { title: null, slug: ticker, negRisk: null, startAt: null, endAt: null, closedAt: null },
      fee: null,
      unreadable:
        (textOr(record['createdAt']) !== null && createdAt === null) ||
        (textOr(record['closedTime']) !== null && closedAt === null),
    };
  }
};
