/** The pass over fills and flows: every wallet's positions, and at its end the rows of the ledger. */

import type { Facts } from '../../facts/fact-reader.ts';
import { isBuy, roleOf } from '../../facts/layout.ts';
import type { RowSink } from '../../tables/made-rows.ts';
import {
  BOUGHT,
  Book,
  COST,
  checkGross,
  FEE,
  FILLS,
  FLAT_AT,
  GIVEN,
  HELD,
  LAST_AT,
  LEAST,
  NET_CASH,
  OPENED_AT,
  RECEIVED,
  SOLD,
} from './book.ts';
import { winningFee } from './fees.ts';
import { convert, isReward, redeem, splitOrMerge } from './flows.ts';
import { History } from './history.ts';
import { CONVERSION, FILL, type FlowColumns, type Knowledge, REDEEM, SPLIT } from './knowledge.ts';
import { CASH, CLOSED, numberOrNull, OPEN, SETTLED } from './ledger.ts';
import { type FeeOf, type FeeRules, feesBy, markOf, type Notice, winningBasis } from './pricing.ts';
import { Totals, type TotalsMemory } from './totals.ts';

export interface PassOptions {
  /** Fills from this moment on (microseconds) are left out; Infinity for none. */
  readonly asOf: number;
  readonly fees: FeeRules;
}

/** Columns of the facts that the pass reads. */
export const factsRead = ['wallet', 'market', 'token', 'time', 'usd', 'shares', 'fee', 'flags'] as const;
export type FactsRead = Facts<(typeof factsRead)[number]>;

/** Cash without tokens: of one market, or of none (-1). */
interface Loose {
  cash: number;
  openedAt: number;
  lastAt: number;
}

export class Pass {
  readonly totals: Totals;
  private readonly knowledge: Knowledge;
  private readonly options: PassOptions;
  private readonly book: Book;
  private readonly feeOf: FeeOf;
  private readonly loose = new Map<number, Loose>();
  private ledger: RowSink | undefined;
  private history: History | undefined;

  private readonly notice: Notice;

  constructor(knowledge: Knowledge, options: PassOptions, memory: TotalsMemory) {
    this.knowledge = knowledge;
    this.options = options;
    this.totals = new Totals(memory);
    this.notice = (what) => this.totals.notice(what);
    this.book = new Book(knowledge.market.length);
    this.feeOf = feesBy(options.fees, knowledge, this.notice);
  }

  /**
   * Settles all wallets of a bucket: fills ordered by wallet and seq, flows by wallet, time and kind. It rests after
   * each wallet, so that whoever reads the rows may take them one by one.
   */
  *run(facts: FactsRead, flows: FlowColumns, ledger: RowSink, history: RowSink | undefined): Generator<undefined> {
    this.ledger = ledger;
    this.history =
      history === undefined
        ? undefined
        : new History(this.book, this.knowledge, history, (slot, payout) => this.winningFee(slot, payout));
    standIn(facts, this.knowledge);
    let fill = 0;
    let flow = 0;
    while (fill < facts.rows || flow < flows.count) {
      const wallet = Math.min(
        fill < facts.rows ? (facts.wallet[fill] as number) : Number.POSITIVE_INFINITY,
        flow < flows.count ? (flows.wallet[flow] as number) : Number.POSITIVE_INFINITY,
      );
      for (; fill < facts.rows && facts.wallet[fill] === wallet; fill++) {
        const time = facts.time[fill] as number;
        if (time >= this.options.asOf) continue;
        while (flow < flows.count && flows.wallet[flow] === wallet && comesFirst(flows, flow, time))
          flow = this.flow(flows, flow);
        this.fill(facts, fill, time);
      }
      while (flow < flows.count && flows.wallet[flow] === wallet) flow = this.flow(flows, flow);
      this.finish(wallet);
      yield;
    }
    this.totals.settleMarkets();
  }

  private fill(facts: FactsRead, i: number, time: number): void {
    const { book, history } = this;
    const market = facts.market[i] as number;
    const flags = facts.flags[i] as number;
    const usd = facts.usd[i] as number;
    const shares = facts.shares[i] as number;
    const buy = isBuy(flags) === 1;
    const slot = book.slot(facts.token[i] as number);
    const fee = this.feeOf(market, time, usd, shares, facts.fee[i] as number, roleOf(flags));
    book.add(slot, FILLS, 1);
    if (fee !== 0) book.add(slot, FEE, fee);
    book.add(slot, buy ? BOUGHT : SOLD, shares);
    history?.before(slot, time);
    book.move(slot, time, buy ? shares : -shares, buy ? -usd : usd);
    history?.after(slot, FILL, time, buy ? shares : -shares, buy ? -usd : usd, fee);
  }

  /** Takes the flow at `row`, and with a conversion all of its rows; returns the row after it. */
  private flow(flows: FlowColumns, row: number): number {
    const kind = flows.kind[row] as number;
    if (isReward(kind)) {
      this.reward(flows, row, kind);
      return row + 1;
    }
    const { book, knowledge, history } = this;
    const rules = {
      book,
      knowledge,
      notice: this.notice,
      moving: (slot: number, time: number) => history?.before(slot, time),
      moved: (slot: number, what: number, time: number, shares: number, cash: number) =>
        history?.after(slot, what, time, shares, cash, 0),
    };
    if (kind === CONVERSION) {
      let end = row + 1;
      while (end < flows.count && flows.group[end] === flows.group[row]) end++;
      convert(flows, row, end, rules);
      return end;
    }
    if (kind === REDEEM) redeem(flows, row, rules);
    else splitOrMerge(flows, row, rules);
    return row + 1;
  }

  private reward(flows: FlowColumns, row: number, kind: number): void {
    const market = flows.market[row] as number;
    const time = flows.time[row] as number;
    const cash = flows.cash[row] as number;
    const loose = this.loose.get(market) ?? { cash: 0, openedAt: time, lastAt: time };
    loose.cash += cash;
    loose.lastAt = time;
    this.loose.set(market, loose);
    this.history?.reward(market, kind, time, cash);
  }

  private finish(wallet: number): void {
    const { book, loose } = this;
    const { named } = this.knowledge;
    if (book.count > 0 || loose.size > 0) {
      // Rows without a token come last, by market, and of a market its cash before its tokens.
      const unnamed: number[] = [];
      for (const token of book.sorted()) {
        if (token >= named) unnamed.push(token - named);
        else this.position(wallet, token);
      }
      const rank = (market: number): number => (market < 0 ? Number.POSITIVE_INFINITY : market);
      const markets = [...new Set([...unnamed, ...loose.keys()])].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
      for (const market of markets) {
        if (loose.has(market)) this.cash(wallet, market, loose.get(market) as Loose);
        if (market >= 0 && unnamed.includes(market)) this.position(wallet, named + market);
      }
      this.totals.wallet();
    }
    this.history?.finish(wallet);
    book.clear();
    loose.clear();
  }

  private position(wallet: number, token: number): void {
    const { book, knowledge, totals } = this;
    const slot = book.slot(token);
    const openedAt = book.of(slot, OPENED_AT);
    // A flow named it and moved nothing.
    if (Number.isNaN(openedAt)) return;
    const market = knowledge.market[token] as number;
    const outcome = knowledge.outcome[token] as number;
    const payout = knowledge.payout[token] as number;
    const settled = !Number.isNaN(payout);
    const held = book.of(slot, HELD);
    const cost = book.of(slot, COST);
    const cash = book.of(slot, NET_CASH);
    const lastAt = book.of(slot, LAST_AT);
    const bought = book.of(slot, BOUGHT);
    const sold = book.of(slot, SOLD);
    const received = book.of(slot, RECEIVED);
    const given = book.of(slot, GIVEN);
    const winning = this.winningFee(slot, payout);
    const fee = book.of(slot, FEE) + winning;
    checkGross(bought + sold + received + given);
    checkGross(8 * Math.abs(fee));
    const settlement = held * payout;
    const settledPnl = 2 * (cash - fee) + settlement;
    const [mark, markedAt] = settled ? UNMARKED : held === 0 ? FLAT : markOf(held, token, knowledge);
    const markedPnl = cash + mark - fee;
    const happenedAt = settled ? Math.max(knowledge.finalAt[market] as number, lastAt) : lastAt;
    const knowableAt = settled ? Math.max(knowledge.knowableAt[market] as number, lastAt) : lastAt;
    const status = settled ? SETTLED : held === 0 ? CLOSED : OPEN;

    if (book.of(slot, LEAST) < 0) totals.belowZero();
    if (held !== bought - sold + received - given || (held === 0 && cost !== 0)) totals.torn();
    totals.row(status, cash, fee, cost, settlement, settledPnl, markedPnl);
    totals.market(market, outcome, settled, cash, settlement, held);
    this.history?.settle(slot);

    // In the order of `ledgerColumns`.
    const row = this.ledger as RowSink;
    row.put(0, wallet);
    row.put(1, market);
    row.put(2, token < knowledge.named ? token : Number.NaN);
    row.put(3, numberOrNull(outcome));
    row.put(4, status);
    row.put(5, book.of(slot, FILLS));
    row.put(6, bought);
    row.put(7, sold);
    row.put(8, received);
    row.put(9, given);
    row.put(10, held);
    row.put(11, cost);
    row.put(12, cash);
    row.put(13, fee);
    row.put(14, cash + cost);
    row.put(15, settlement);
    row.put(16, settledPnl);
    row.put(17, mark);
    row.put(18, markedPnl);
    row.put(19, markedAt);
    row.put(20, openedAt);
    row.put(21, held === 0 ? book.of(slot, FLAT_AT) : settled ? happenedAt : Number.NaN);
    row.put(22, happenedAt);
    row.put(23, knowableAt);
    row.next();
  }

  private winningFee(slot: number, payout: number): number {
    const { mode, winningRate, winningBase } = this.options.fees;
    if (mode !== 'profit') return 0;
    const [payoutHalves, basis] = winningBasis(this.book, slot, payout);
    return winningFee(payoutHalves, basis, winningRate, winningBase);
  }

  /** Cash without tokens is final when it is paid: nothing has a cost, all of it is profit. */
  private cash(wallet: number, market: number, { cash, openedAt, lastAt }: Loose): void {
    this.totals.row(CASH, cash, 0, 0, 0, 2 * cash, Number.NaN);
    const row = this.ledger as RowSink;
    row.put(0, wallet);
    row.put(1, numberOrNull(market));
    row.put(2, Number.NaN);
    row.put(3, Number.NaN);
    row.put(4, CASH);
    row.put(5, 0);
    for (let column = 6; column <= 14; column++) row.put(column, column === 12 || column === 14 ? cash : 0);
    row.put(15, 0);
    row.put(16, 2 * cash);
    for (let column = 17; column <= 19; column++) row.put(column, Number.NaN);
    row.put(20, openedAt);
    for (let column = 21; column <= 23; column++) row.put(column, lastAt);
    row.next();
  }
}

/**
 * Puts the tokens of the ledger in place of those of the fills. All of them ahead of the pass: lookups that do not wait
 * for each other take a fraction of the time.
 */
function standIn({ rows, market, token }: FactsRead, { named, standsFor }: Knowledge): void {
  for (let i = 0; i < rows; i++) {
    const traded = token[i] as number;
    token[i] = traded < 0 ? named + (market[i] as number) : (standsFor[traded] as number);
  }
}

const UNMARKED = [Number.NaN, Number.NaN] as const;
const FLAT = [0, Number.NaN] as const;

/** Whether a flow is taken before a fill of the given time: earlier ones are, and splits of the same moment. */
function comesFirst(flows: FlowColumns, row: number, time: number): boolean {
  const at = flows.time[row] as number;
  return at < time || (at === time && flows.kind[row] === SPLIT);
}
