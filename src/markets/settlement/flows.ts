/** What splits, merges, redemptions and conversions do to the positions of a wallet. Amounts in 1e-6. */
import { type Book, COST, GIVEN, HELD, RECEIVED, REDEEMED_CASH, REDEEMED_COST } from './book.ts';
import { eventKinds, type FlowColumns, type Knowledge, REDEEM } from './knowledge.ts';
import type { Notice } from './pricing.ts';
import { oddities } from './totals.ts';
import { divide, firstPart, portion } from './whole.ts';

/** Told of every move, after it; `book.closed` says what it closed. */
export type Moved = (slot: number, kind: number, time: number, shares: number, cash: number) => void;

const PAR = 1_000_000;
const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);

export interface FlowRules {
  readonly book: Book;
  readonly knowledge: Knowledge;
  readonly notice: Notice;
  /** Told of every move of tokens, before it. */
  readonly moving: (slot: number, time: number) => void;
  readonly moved: Moved;
}

/** Last prices before a flow. Two outcomes share a dollar: one price tells the other, and none makes them equal. */
function pricesOf(flows: FlowColumns, row: number): readonly [number, number] {
  const price0 = flows.price0[row] as number;
  const price1 = flows.price1[row] as number;
  if (Number.isNaN(price0) && Number.isNaN(price1)) return [1, 1];
  if (Number.isNaN(price0)) return [Math.max(0, PAR - price1), price1];
  if (Number.isNaN(price1)) return [price0, Math.max(0, PAR - price0)];
  return [price0, price1];
}

/** Slots of the two tokens of a flow's market. */
function slotsOf(flows: FlowColumns, row: number, { book, knowledge }: FlowRules): readonly [number, number] {
  const market = flows.market[row] as number;
  return [book.slot(knowledge.token0[market] as number), book.slot(knowledge.token1[market] as number)];
}

/** Moves tokens without a trade; nothing if neither tokens nor cash move. */
function receive(rules: FlowRules, slot: number, kind: number, time: number, shares: number, cash: number): void {
  if (shares === 0 && cash === 0) return;
  if (shares > 0) rules.book.add(slot, RECEIVED, shares);
  else rules.book.add(slot, GIVEN, -shares);
  rules.moving(slot, time);
  rules.book.move(slot, time, shares, cash);
  if (kind === REDEEM) {
    rules.book.add(slot, REDEEMED_CASH, cash);
    rules.book.add(slot, REDEEMED_COST, rules.book.closed.cost);
  }
  rules.moved(slot, kind, time, shares, cash);
}

/** A split or merge: its cash is divided among the two tokens by their last prices. */
export function splitOrMerge(flows: FlowColumns, row: number, rules: FlowRules): void {
  const [first, second] = slotsOf(flows, row, rules);
  const [price0, price1] = pricesOf(flows, row);
  const shares0 = orZero(flows.shares0[row] as number);
  const shares1 = orZero(flows.shares1[row] as number);
  const cash = flows.cash[row] as number;
  const cash0 = firstPart(cash, [Math.abs(shares0), price0], [Math.abs(shares1), price1]);
  const kind = flows.kind[row] as number;
  const time = flows.time[row] as number;
  receive(rules, first, kind, time, shares0, cash0);
  receive(rules, second, kind, time, shares1, cash - cash0);
}

/** A redemption. Tokens of which nothing is said are all that is held: the contract pays a whole balance at once. */
export function redeem(flows: FlowColumns, row: number, rules: FlowRules): void {
  const { book, knowledge, notice } = rules;
  const [first, second] = slotsOf(flows, row, rules);
  const market = flows.market[row] as number;
  const time = flows.time[row] as number;
  const cash = flows.cash[row] as number;
  const given = (slot: number, said: number): number => {
    const held = book.of(slot, HELD);
    if (!Number.isNaN(said)) return said;
    return held > 0 ? -held : 0;
  };
  const shares0 = given(first, flows.shares0[row] as number);
  const shares1 = given(second, flows.shares1[row] as number);
  const half0 = knowledge.half0[market] as number;
  const half1 = knowledge.half1[market] as number;
  let cash0: number;
  // An outcome that was not knowable yet tells nothing: the history must not change when it becomes so.
  if ((knowledge.knowableAt[market] as number) <= time) {
    const tokens = shares0 === 0 && shares1 === 0 ? 1 : 0;
    cash0 = firstPart(cash, [tokens - shares0, half0], [tokens - shares1, half1]);
    if (2 * cash !== -shares0 * half0 - shares1 * half1) notice(oddities.redeemedOtherwise);
  } else if (cash === -shares0 && cash !== -shares1) cash0 = cash;
  else if (cash === -shares1 && cash !== -shares0) cash0 = 0;
  else {
    const [price0, price1] = pricesOf(flows, row);
    cash0 = firstPart(cash, [-shares0, price0], [-shares1, price1]);
    if (cash !== 0) notice(oddities.redeemedBlindly);
  }
  receive(rules, first, REDEEM, time, shares0, cash0);
  receive(rules, second, REDEEM, time, shares1, cash - cash0);
}

interface Leg {
  readonly slot: number;
  readonly shares: number;
  /** Last price; 1/2 without any. */
  readonly price: number;
}

/**
 * A conversion, rows `begin` to `end` (exclusive): tokens of several markets of an event against others and cash.
 *
 * No profit is made by exchanging equals: the average cost of what is given, less the cash received, becomes the cost
 * of what is received, by last prices. Only cash beyond that cost is profit, and so is all of it if nothing is
 * received. Tokens given that the data did not see coming leave at their last price. Costs add up exactly.
 */
export function convert(flows: FlowColumns, begin: number, end: number, rules: FlowRules): void {
  const given: Leg[] = [];
  const received: Leg[] = [];
  let cash = 0;
  for (let row = begin; row < end; row++) {
    cash += flows.cash[row] as number;
    const [price0, price1] = pricesOf(flows, row);
    const known = price0 + price1 > 2;
    slotsOf(flows, row, rules).forEach((slot, side) => {
      const shares = orZero((side === 0 ? flows.shares0[row] : flows.shares1[row]) as number);
      const price = known ? (side === 0 ? price0 : price1) : PAR / 2;
      if (shares !== 0) (shares > 0 ? received : given).push({ slot, shares, price });
    });
  }
  const leaving = given.map(({ slot, shares, price }) => {
    const owned = Math.max(0, rules.book.of(slot, HELD));
    const covered = Math.min(owned, -shares);
    const average = covered === 0 ? 0 : portion(rules.book.of(slot, COST), covered, owned);
    return average + portion(-shares - covered, price, PAR);
  });
  const outlay = leaving.reduce((sum, amount) => sum + amount, 0);
  const beyond = cash - outlay;
  const gain = received.length === 0 ? beyond : given.length === 0 ? 0 : Math.max(0, beyond);
  const extra: number[] = [];
  if (given.length > 0)
    divide(
      gain,
      given.map(({ shares }) => -shares),
      extra,
    );
  const costs: number[] = [];
  if (received.length > 0)
    divide(
      outlay + gain - cash,
      received.map(({ shares, price }) => portion(shares, price, PAR)),
      costs,
    );
  const kind = flows.kind[begin] as number;
  const time = flows.time[begin] as number;
  given.forEach(({ slot, shares }, i) => {
    receive(rules, slot, kind, time, shares, (leaving[i] as number) + (extra[i] as number));
  });
  received.forEach(({ slot, shares }, i) => {
    receive(rules, slot, kind, time, shares, -(costs[i] as number));
  });
  // Cash without tokens on either side stands with the first market that the conversion names.
  if (given.length === 0 && received.length === 0 && cash !== 0)
    receive(rules, slotsOf(flows, begin, rules)[0], kind, time, 0, cash);
}

/** Whether a kind of flow is cash that moves no tokens. */
export function isReward(kind: number): boolean {
  return kind > REDEEM && kind < eventKinds.length;
}
