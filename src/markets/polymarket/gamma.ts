/**
 * Markets and events as the venue's Gamma service gives them, or a recorder that put the answer under `raw`.
 *
 * Which payout is taken: `closed`, `umaResolutionStatus` is `resolved`, and `outcomePrices` are 0, 0.5 or 1 that add up
 * to 1. It is final, and knowable, from the later one of `closedTime` and `umaEndDate`. Of when it was proposed the
 * service says nothing.
 */
import { microsecondsOf } from '../records/times.ts';
import {
  conditionOf,
  type EventFacts,
  type FeeFacts,
  type Fields,
  isFields,
  listOf,
  type MarketFacts,
  type MarketReader,
  type Refusal,
  textOr,
  twoOutcomes,
} from './market-facts.ts';

/** What names a market: its condition on the chain, or Gamma's own number, as poly_data version 1 has it. */
export type MarketName = 'condition' | 'number';

export const gammaMarkets =
  (name: MarketName): MarketReader =>
  (record) => [gammaMarket(isFields(record) && isFields(record['raw']) ? record['raw'] : record, name, undefined)];

export const gammaEvents = (name: MarketName): MarketReader =>
  function* (record) {
    if (!isFields(record)) yield { reason: notAnObject(record) };
    else if (!Array.isArray(record['markets']) || record['markets'].length === 0) yield { reason: 'markets: none' };
    else for (const market of record['markets']) yield gammaMarket(market, name, record);
  };

const notAnObject = (record: unknown): string => (record === undefined ? 'not JSON' : 'not an object');

/** A time of a field: null if there is none, and `unreadable` told if there is one that is no time. */
class Times {
  unreadable = false;
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  of(name: string): number | null {
    const value = this.#fields[name];
    if (value === undefined || value === null || value === '') return null;
    const time = microsecondsOf(value);
    if (time === undefined) this.unreadable = true;
    return time ?? null;
  }
}

function gammaMarket(raw: unknown, name: MarketName, within: Fields | undefined): MarketFacts | Refusal {
  if (!isFields(raw)) return { reason: notAnObject(raw) };
  const market = name === 'condition' ? conditionOf(raw['conditionId']) : numberOf(raw['id']);
  if (market === undefined)
    return { reason: name === 'condition' ? 'conditionId: not a hash' : 'id: not a market number' };
  const question = textOr(raw['question']) ?? textOr(raw['title']);
  if (question === null) return { reason: 'question: empty' };
  const outcomes = twoOutcomes(listOf(raw['outcomes']), listOf(raw['clobTokenIds']), {
    names: 'outcomes',
    tokens: 'clobTokenIds',
  });
  if ('reason' in outcomes) return outcomes;
  const prices = pricesOf(raw['outcomePrices']);
  if ('reason' in prices) return prices;
  const fee = feeOf(raw);
  if (fee !== null && 'reason' in fee) return fee;

  const times = new Times(raw);
  const closedTime = times.of('closedTime');
  const event = within ?? firstEvent(raw);
  const eventName = event === undefined ? textOr(raw['negRiskMarketID']) : eventNameOf(event);
  return {
    market,
    event: eventName ?? market,
    question,
    slug: textOr(raw['slug']),
    ...outcomes,
    createdAt: times.of('createdAt'),
    closedAt: closedTime,
    updatedAt: times.of('updatedAt'),
    ...payoutOf(raw, prices.of, closedTime, times.of('umaEndDate')),
    eventFacts: eventName === null ? null : eventFacts(event ?? {}, raw),
    fee,
    unreadable: times.unreadable,
  };
}

const numberOf = (value: unknown): string | undefined =>
  /^[1-9][0-9]*$/.test(String(value)) ? String(value) : undefined;

function firstEvent(raw: Fields): Fields | undefined {
  const events = raw['events'];
  const first: unknown = Array.isArray(events) ? events[0] : undefined;
  return isFields(first) ? first : undefined;
}

/** The event's slug, which the data API names too; poly_data calls it the ticker. */
const eventNameOf = (event: Fields): string | null =>
  textOr(event['slug']) ?? textOr(event['ticker']) ?? textOr(event['id']);

function eventFacts(event: Fields, market: Fields): EventFacts {
  const times = new Times(event);
  const negRisk = event['negRisk'] ?? market['negRisk'];
  return {
    title: textOr(event['title']),
    slug: textOr(event['slug']),
    negRisk: typeof negRisk === 'boolean' ? negRisk : null,
    startAt: times.of('startDate'),
    endAt: times.of('endDate'),
    closedAt: times.of('closedTime'),
  };
}

function pricesOf(value: unknown): { readonly of: readonly number[] } | Refusal {
  const list = listOf(value);
  if (list === undefined) return { reason: 'outcomePrices: neither a list nor the JSON of one' };
  if (list.length === 0) return { of: [] };
  if (list.length !== 2) return { reason: 'outcomePrices: not two' };
  const prices = list.map((price) => (typeof price === 'string' && price.trim() !== '' ? Number(price) : price));
  if (!prices.every((price) => typeof price === 'number' && Number.isFinite(price)))
    return { reason: 'outcomePrices: not a number' };
  if (!prices.every((price) => (price as number) >= 0 && (price as number) <= 1))
    return { reason: 'outcomePrices: outside [0, 1]' };
  return { of: prices as number[] };
}

function payoutOf(
  raw: Fields,
  [price0, price1]: readonly number[],
  closedTime: number | null,
  umaEndDate: number | null,
): Pick<MarketFacts, 'payout0' | 'finalAt' | 'knowableAt' | 'doubt'> {
  const none = { payout0: null, finalAt: null, knowableAt: null };
  if (raw['closed'] !== true) return { ...none, doubt: null };
  const status = textOr(raw['umaResolutionStatus']);
  if (status !== 'resolved') return { ...none, doubt: `closed, but its status is ${status ?? 'not given'}` };
  const final = price0 !== undefined && [0, 0.5, 1].includes(price0) && price0 + (price1 as number) === 1;
  if (!final) return { ...none, doubt: 'resolved, but its prices are no payout' };
  if (closedTime === null && umaEndDate === null) return { ...none, doubt: 'resolved, but it is not said when' };
  const finalAt = Math.max(closedTime ?? 0, umaEndDate ?? 0);
  return { payout0: price0, finalAt, knowableAt: finalAt, doubt: null };
}

/** Null where the service gives no schedule, which says nothing of fees. */
function feeOf(raw: Fields): FeeFacts | Refusal | null {
  if (raw['feesEnabled'] === false) return { rate: 0, exponent: 1, takerOnly: true, rebateShare: 0 };
  const schedule = raw['feeSchedule'];
  if (schedule === undefined || schedule === null) return null;
  if (!isFields(schedule)) return { reason: 'feeSchedule: not an object' };
  const { rate, exponent, takerOnly, rebateRate = 0 } = schedule;
  const within = (value: unknown, most: number): value is number =>
    typeof value === 'number' && value >= 0 && value <= most;
  if (!within(rate, 1)) return { reason: 'feeSchedule.rate: not in [0, 1]' };
  if (!within(exponent, 10)) return { reason: 'feeSchedule.exponent: not in [0, 10]' };
  if (typeof takerOnly !== 'boolean') return { reason: 'feeSchedule.takerOnly: not true or false' };
  if (!within(rebateRate, 1)) return { reason: 'feeSchedule.rebateRate: not in [0, 1]' };
  return { rate, exponent, takerOnly, rebateShare: rebateRate };
}
