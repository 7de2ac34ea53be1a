/** What each fill and flow does to the positions of one wallet in one market. */
import { type Event, eventKinds, type MarketFacts } from './events.ts';
import { curveFee, makerRebate } from './fees.ts';
import { emptyPosition, move, type Position } from './position.ts';
import { firstPart } from './whole.ts';

export interface FillFees {
  readonly mode: 'none' | 'recorded' | 'profit' | 'curve';
  /** Rates on the curve by index of `feeCategories`, in millionths. */
  readonly rates: readonly number[];
  /** Fills before it bear no fee on the curve, microseconds. */
  readonly from: number;
  /** Part of the taker's fee that a maker gets back, in millionths. */
  readonly rebate: number;
}

/** What went by that a reader should know of. */
export interface Oddities {
  /** Fills without a recorded fee (mode recorded). */
  feeUnknown: number;
  /** Fills of unknown role that were charged as takers (mode curve). */
  roleUnknown: number;
  /** Redemptions whose tokens the source does not name, in markets without a known outcome, whose cash fits no holding. */
  redeemedBlindly: number;
  /** Redemptions that brought other cash than the known payouts give for what was held. */
  redeemedOtherwise: number;
}

export type Positions = Map<number, Position>;

const FILL = eventKinds.indexOf('fill');
const REDEEM = eventKinds.indexOf('redeem');

/** Applies one fill or flow; rewards and rebates, which move no tokens, are the caller's. */
export function apply(positions: Positions, event: Event, markets: MarketFacts, fees: FillFees, odd: Oddities): void {
  if (event.kind === FILL) {
    applyFill(of(positions, event.token), event, markets, fees, odd);
    return;
  }
  const first = of(positions, markets.token0[event.market] as number);
  const second = of(positions, markets.token1[event.market] as number);
  if (event.kind === REDEEM) redeem(first, second, event, markets, odd);
  else {
    const { price0, price1 } = pricesOf(event);
    const cash0 = firstPart(
      event.cash,
      [Math.abs(orZero(event.shares0)), price0],
      [Math.abs(orZero(event.shares1)), price1],
    );
    receive(first, event.time, orZero(event.shares0), cash0);
    receive(second, event.time, orZero(event.shares1), event.cash - cash0);
  }
}

const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);

function of(positions: Positions, token: number): Position {
  const found = positions.get(token);
  if (found !== undefined) return found;
  const made = emptyPosition();
  positions.set(token, made);
  return made;
}

function applyFill(position: Position, event: Event, markets: MarketFacts, fees: FillFees, odd: Oddities): void {
  const shares = Math.abs(event.shares0);
  if (event.shares0 > 0 || event.cash < 0) position.bought += shares;
  else position.sold += shares;
  position.fills++;
  position.fee += feeOf(event, markets, fees, odd);
  move(position, event.time, event.shares0, event.cash);
}

function feeOf(event: Event, markets: MarketFacts, fees: FillFees, odd: Oddities): number {
  if (fees.mode === 'recorded') {
    if (Number.isNaN(event.fee)) odd.feeUnknown++;
    return orZero(event.fee);
  }
  if (fees.mode !== 'curve' || event.time < fees.from) return 0;
  const rate = fees.rates[markets.category[event.market] as number] as number;
  const [usd, shares] = [Math.abs(event.cash), Math.abs(event.shares0)];
  if (event.role === 1) return makerRebate(usd, shares, rate, fees.rebate);
  if (Number.isNaN(event.role)) odd.roleUnknown++;
  return curveFee(usd, shares, rate);
}

function receive(position: Position, time: number, shares: number, cash: number): number {
  // A flow names both tokens of a market, though it may move one of them only.
  if (shares === 0 && cash === 0) return 0;
  if (shares > 0) position.received += shares;
  else position.given -= shares;
  return move(position, time, shares, cash);
}

/** Last prices before the event. Two outcomes share a dollar: one price tells the other, and none makes them equal. */
function pricesOf(event: Event): { price0: number; price1: number } {
  const { price0, price1 } = event;
  if (Number.isNaN(price0) && Number.isNaN(price1)) return { price0: 1, price1: 1 };
  if (Number.isNaN(price0)) return { price0: Math.max(0, 1_000_000 - price1), price1 };
  if (Number.isNaN(price1)) return { price0, price1: Math.max(0, 1_000_000 - price0) };
  return { price0, price1 };
}

/** Tokens of which nothing is said are all that is held: the contract pays a wallet's whole balance at once. */
function redeem(first: Position, second: Position, event: Event, markets: MarketFacts, odd: Oddities): void {
  const all = (position: Position): number => (position.held > 0 ? -position.held : 0);
  const shares0 = Number.isNaN(event.shares0) ? all(first) : event.shares0;
  const shares1 = Number.isNaN(event.shares1) ? all(second) : event.shares1;
  const half0 = markets.half0[event.market] as number;
  const half1 = markets.half1[event.market] as number;
  let cash0: number;
  if (!Number.isNaN(half0)) {
    const tokens = shares0 === 0 && shares1 === 0 ? 1 : 0;
    cash0 = firstPart(event.cash, [tokens - shares0, half0], [tokens - shares1, half1]);
    if (2 * event.cash !== -shares0 * half0 - shares1 * half1) odd.redeemedOtherwise++;
  } else if (event.cash === -shares0 && event.cash !== -shares1) cash0 = event.cash;
  else if (event.cash === -shares1 && event.cash !== -shares0) cash0 = 0;
  else {
    const { price0, price1 } = pricesOf(event);
    cash0 = firstPart(event.cash, [-shares0, price0], [-shares1, price1]);
    if (event.cash !== 0) odd.redeemedBlindly++;
  }
  for (const [position, shares, cash] of [
    [first, shares0, cash0],
    [second, shares1, event.cash - cash0],
  ] as const) {
    position.redeemedCost += receive(position, event.time, shares, cash);
    position.redeemedCash += cash;
  }
}

/** Whether an event is a reward or rebate, which moves no tokens. */
export function isReward(event: Event): boolean {
  return event.kind > REDEEM;
}
