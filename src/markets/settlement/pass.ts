/** The pass over fills and flows: every wallet's positions, and at its end the rows of the ledger. */
import type { Facts } from '../../facts/read.ts';
import type { TypedTable } from '../../tables/typed-table.ts';
import { Book, checkGross } from './book.ts';
import { winningFee } from './fees.ts';
import { convert, isReward, redeem, splitOrMerge } from './flows.ts';
import { History } from './history.ts';
import { CONVERSION, FILL, type FlowColumns, type Knowledge, REDEEM, SPLIT } from './knowledge.ts';
import { CASH, CLOSED, OPEN, SETTLED } from './ledger.ts';
import { type FeeOf, type FeeRules, feesBy, markOf, type Notice, payoutOf, winningBasis } from './pricing.ts';
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
  private ledger: TypedTable | undefined;
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

  /** Settles all wallets of a bucket: fills ordered by wallet and seq, flows by wallet, time and kind. */
  run(facts: FactsRead, flows: FlowColumns, ledger: TypedTable, history: TypedTable | undefined): void {
    this.ledger = ledger;
    this.history = history === undefined ? undefined : new History(this.book, this.knowledge, history);
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
    }
  }

  private fill(facts: FactsRead, i: number, time: number): void {
    const { knowledge, book } = this;
    const market = facts.market[i] as number;
    const token = facts.token[i] as number;
    const flags = facts.flags[i] as number;
    const usd = facts.usd[i] as number;
    const shares = facts.shares[i] as number;
    const slot = book.slot(token < 0 ? knowledge.named + market : (knowledge.standsFor[token] as number));
    const { columns } = book;
    const fee = this.feeOf(market, time, usd, shares, facts.fee[i] as number, (flags >> 3) & 3);
    columns.fills[slot] = (columns.fills[slot] as number) + 1;
    columns.fee[slot] = (columns.fee[slot] as number) + fee;
    if ((flags & 1) === 1) {
      columns.bought[slot] = (columns.bought[slot] as number) + shares;
      this.history?.before(slot, time);
      book.move(slot, time, shares, -usd);
      this.history?.after(slot, FILL, time, shares, -usd, fee);
    } else {
      columns.sold[slot] = (columns.sold[slot] as number) + shares;
      this.history?.before(slot, time);
      book.move(slot, time, -shares, usd);
      this.history?.after(slot, FILL, time, -shares, usd, fee);
    }
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
    const { book, knowledge, options } = this;
    const slot = book.slot(token);
    const { columns } = book;
    const openedAt = columns.openedAt[slot] as number;
    // A flow named it and moved nothing.
    if (Number.isNaN(openedAt)) return;
    const market = knowledge.market[token] as number;
    const outcome = knowledge.outcome[token] as number;
    const payout = payoutOf(token, knowledge);
    const settled = !Number.isNaN(payout);
    const held = columns.held[slot] as number;
    const cost = columns.cost[slot] as number;
    const cash = columns.cash[slot] as number;
    const lastAt = columns.lastAt[slot] as number;
    const bought = columns.bought[slot] as number;
    const sold = columns.sold[slot] as number;
    const received = columns.received[slot] as number;
    const given = columns.given[slot] as number;
    checkGross(bought + sold + received + given);
    let winning = 0;
    if (options.fees.mode === 'profit') {
      const [payoutHalves, basis] = winningBasis(book, slot, payout);
      winning = winningFee(payoutHalves, basis, options.fees.winningRate, options.fees.winningBase);
    }
    const fee = (columns.fee[slot] as number) + winning;
    checkGross(8 * Math.abs(fee));
    const settlement = held * payout;
    const [mark, markedAt] = settled ? UNMARKED : held === 0 ? FLAT : markOf(held, token, knowledge);
    const finalAt = settled ? (knowledge.finalAt[market] as number) : Number.NaN;
    const lastOrFinal = settled ? Math.max(finalAt, lastAt) : lastAt;
    const row = {
      market,
      outcome,
      status: settled ? SETTLED : held === 0 ? CLOSED : OPEN,
      held,
      cost,
      cash,
      fee,
      settlement,
      settledPnl: 2 * (cash - fee) + settlement,
      markedPnl: cash + mark - fee,
    };
    if ((columns.least[slot] as number) < 0) this.totals.tally('belowZero');
    if (held !== bought - sold + received - given || (held === 0 && cost !== 0)) this.totals.tally('torn');
    this.totals.row(row);
    this.history?.settle(
      slot,
      lastOrFinal,
      Math.max(settled ? (knowledge.knowableAt[market] as number) : 0, lastAt),
      winning,
    );
    this.write(wallet, market, token < knowledge.named ? token : Number.NaN, outcome, row.status, [
      columns.fills[slot] as number,
      bought,
      sold,
      received,
      given,
      held,
      cost,
      cash,
      fee,
      cash + cost,
      settlement,
      row.settledPnl,
      mark,
      row.markedPnl,
      markedAt,
      openedAt,
      held === 0 ? (columns.flatAt[slot] as number) : settled ? lastOrFinal : Number.NaN,
      lastOrFinal,
      settled ? Math.max(knowledge.knowableAt[market] as number, lastAt) : lastAt,
    ]);
  }

  /** Cash without tokens is final when it is paid: nothing has a cost, all of it is profit. */
  private cash(wallet: number, market: number, { cash, openedAt, lastAt }: Loose): void {
    const none = Number.NaN;
    this.totals.row({
      market,
      outcome: -1,
      status: CASH,
      held: 0,
      cost: 0,
      cash,
      fee: 0,
      settlement: 0,
      settledPnl: 2 * cash,
      markedPnl: none,
    });
    const amounts = [0, 0, 0, 0, 0, 0, 0, cash, 0, cash, 0, 2 * cash, none, none, none];
    this.write(wallet, market < 0 ? none : market, none, -1, CASH, [...amounts, openedAt, lastAt, lastAt, lastAt]);
  }

  private write(
    wallet: number,
    market: number,
    token: number,
    outcome: number,
    status: number,
    rest: readonly number[],
  ): void {
    const ledger = this.ledger as TypedTable;
    ledger.put(0, wallet);
    ledger.put(1, market);
    ledger.put(2, token);
    ledger.put(3, outcome < 0 ? Number.NaN : outcome);
    ledger.put(4, status);
    for (let i = 0; i < rest.length; i++) ledger.put(5 + i, rest[i] as number);
    ledger.next();
  }
}

const UNMARKED = [Number.NaN, Number.NaN] as const;
const FLAT = [0, Number.NaN] as const;

/** Whether a flow is taken before a fill of the given time: earlier ones are, and splits of the same moment. */
function comesFirst(flows: FlowColumns, row: number, time: number): boolean {
  const at = flows.time[row] as number;
  return at < time || (at === time && flows.kind[row] === SPLIT);
}
