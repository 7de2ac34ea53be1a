/** What one row of any source says of a market, and the checks that all of them share. */

/** Times are microseconds since 1970 UTC; null is unknown. */
export interface MarketFacts {
  readonly market: string;
  /** The market itself where the source tells of no event. */
  readonly event: string;
  readonly question: string;
  readonly slug: string | null;
  readonly outcome0: string;
  readonly outcome1: string;
  readonly token0: string;
  readonly token1: string;
  readonly createdAt: number | null;
  readonly closedAt: number | null;
  /** When the source last changed the row: the newest row of a market counts. */
  readonly updatedAt: number | null;
  /** What a token of outcome 0 pays, once that is final; outcome 1 pays the rest of 1. */
  readonly payout0: number | null;
  readonly finalAt: number | null;
  readonly knowableAt: number | null;
  /** Why a payout that the source seems to give is not taken. */
  readonly doubt: string | null;
  readonly eventFacts: EventFacts | null;
  readonly fee: FeeFacts | null;
  /** Whether a time is given that cannot be read. */
  readonly unreadable: boolean;
}

export interface EventFacts {
  readonly title: string | null;
  readonly slug: string | null;
  readonly negRisk: boolean | null;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly closedAt: number | null;
}

export interface FeeFacts {
  readonly rate: number;
  readonly exponent: number;
  readonly takerOnly: boolean;
  readonly rebateShare: number;
}

export interface Refusal {
  readonly reason: string;
}

/** What a reader makes of one record; an event has several markets. */
export type MarketReader = (record: unknown) => Iterable<MarketFacts | Refusal>;

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The text of a field, trimmed; null if it is empty or no text. */
export const textOr = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : null;

export const conditionOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value) ? value.toLowerCase() : undefined;

/**
 * A list, given as a list or as the JSON text of one: services do both, some of them in one answer. Undefined if it is
 * anything else; nothing at all is an empty list.
 */
export function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null || value === '') return [];
  let list: unknown = value;
  if (typeof value === 'string')
    try {
      list = JSON.parse(value) as unknown;
    } catch {
      return undefined;
    }
  return Array.isArray(list) ? (list as unknown[]) : undefined;
}

/** Names and tokens of the two outcomes, or why they are not two outcomes with a token each. */
export function twoOutcomes(
  names: readonly unknown[] | undefined,
  tokens: readonly unknown[] | undefined,
  fields: { readonly names: string; readonly tokens: string },
): Pick<MarketFacts, 'outcome0' | 'outcome1' | 'token0' | 'token1'> | Refusal {
  if (names === undefined) return { reason: `${fields.names}: neither a list nor the JSON of one` };
  if (tokens === undefined) return { reason: `${fields.tokens}: neither a list nor the JSON of one` };
  const given = tokens.filter((token) => token !== '' && token !== null);
  if (given.length === 0) return { reason: `${fields.tokens}: none` };
  if (names.length !== 2) return { reason: `${fields.names}: not two` };
  if (given.length !== 2) return { reason: `${fields.tokens}: not two` };
  const [outcome0, outcome1] = names.map(textOr);
  if (outcome0 == null || outcome1 == null) return { reason: `${fields.names}: empty` };
  const [token0, token1] = given;
  // A number has lost most of the digits already.
  if (typeof token0 !== 'string' || typeof token1 !== 'string') return { reason: `${fields.tokens}: not text` };
  if (![token0, token1].every((token) => /^[1-9][0-9]{0,77}$/.test(token)))
    return { reason: `${fields.tokens}: not a token id` };
  if (token0 === token1) return { reason: `${fields.tokens}: the same token twice` };
  return { outcome0, outcome1, token0, token1 };
}
