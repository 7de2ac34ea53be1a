/**
 * The history of realised profit of one wallet: a row whenever tokens leave, an outcome becomes knowable or a fee is
 * paid. Profit as of any moment is the sum of the rows that were knowable before it.
 *
 * From the moment at which an outcome is knowable a token is worth its payout: what is held then is realised at it, and
 * so is at once whatever comes or goes later. All rows of a settled token add up to its settled profit.
 */
import type { RowSink } from '../../tables/made-rows.ts';
import { type Book, COST, HELD } from './book.ts';
import type { Knowledge } from './knowledge.ts';
import { numberOrNull, RESOLUTION, WINNING_FEE } from './ledger.ts';

/** Numbers of markets, tokens and outcomes are -1 where there is none. */
interface Row {
  readonly market: number;
  readonly token: number;
  readonly outcome: number;
  readonly step: number;
  readonly kind: number;
  readonly shares: number;
  /** In halves of 1e-6 USD. */
  readonly proceeds: number;
  readonly cost: number;
  /** In 1e-6 USD. */
  readonly fee: number;
  readonly happenedAt: number;
  readonly knowableAt: number;
}

export class History {
  private readonly book: Book;
  private readonly knowledge: Knowledge;
  private readonly table: RowSink;
  private rows: Row[] = [];
  /** Fee on winning that a position would have paid if it ended now. */
  private readonly winningFee: (slot: number, payout: number) => number;
  /** What of it the rows have charged already, by slot. */
  private readonly charged = new Map<number, number>();
  /** Rows of rewards and rebates by market. */
  private readonly rewards = new Map<number, number>();

  constructor(book: Book, knowledge: Knowledge, table: RowSink, winningFee: (slot: number, payout: number) => number) {
    this.winningFee = winningFee;
    this.book = book;
    this.knowledge = knowledge;
    this.table = table;
  }

  /** Before a move: if the outcome is knowable by then, what is held is realised at its payout. */
  before(slot: number, time: number): void {
    if (this.book.resolved[slot] === 1) return;
    const token = this.book.tokens[slot] as number;
    const payout = this.knowledge.payout[token] as number;
    if (Number.isNaN(payout)) return;
    const market = this.knowledge.market[token] as number;
    if ((this.knowledge.knowableAt[market] as number) <= time) this.resolve(slot, market, payout);
  }

  /** After a move; `book.closed` says what it closed. Amounts in 1e-6. */
  after(slot: number, kind: number, time: number, shares: number, cash: number, fee: number): void {
    const { closed } = this.book;
    if (this.book.resolved[slot] === 1) {
      const value = shares * (this.knowledge.payout[this.book.tokens[slot] as number] as number);
      // Tokens that come were paid for and are worth their payout; those that go bring cash instead of it.
      const [proceeds, cost] = shares > 0 ? [value, -2 * cash] : [2 * cash, -value];
      if (proceeds !== cost || fee !== 0) this.add(slot, kind, Math.abs(shares), proceeds, cost, fee, time, time);
    } else if (closed.shares !== 0 || closed.proceeds !== 0 || fee !== 0)
      this.add(slot, kind, closed.shares, 2 * closed.proceeds, 2 * closed.cost, fee, time, time);
    this.charge(slot, time, time);
  }

  reward(market: number, kind: number, time: number, cash: number): void {
    const step = this.rewards.get(market) ?? 0;
    this.rewards.set(market, step + 1);
    const none = { token: -1, outcome: -1, shares: 0, cost: 0, fee: 0 };
    const at = { happenedAt: time, knowableAt: time };
    this.rows.push({ market, step, kind, proceeds: 2 * cash, ...none, ...at });
  }

  /** At the end: what is still held in a market with an outcome. */
  settle(slot: number): void {
    const token = this.book.tokens[slot] as number;
    const payout = this.knowledge.payout[token] as number;
    if (!Number.isNaN(payout) && this.book.resolved[slot] === 0)
      this.resolve(slot, this.knowledge.market[token] as number, payout);
  }

  /** Writes the rows of the wallet, by time, token (none last), market and step. */
  finish(wallet: number): void {
    const last = (value: number): number => (value < 0 ? Number.POSITIVE_INFINITY : value);
    const order = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
    this.rows.sort(
      (a, b) =>
        order(a.knowableAt, b.knowableAt) ||
        order(last(a.token), last(b.token)) ||
        order(last(a.market), last(b.market)) ||
        order(a.step, b.step),
    );
    const { table } = this;
    for (const row of this.rows) {
      // In the order of `historyColumns`.
      table.put(0, wallet);
      table.put(1, numberOrNull(row.market));
      table.put(2, numberOrNull(row.token));
      table.put(3, numberOrNull(row.outcome));
      table.put(4, row.step);
      table.put(5, row.kind);
      table.put(6, row.shares);
      table.put(7, row.proceeds);
      table.put(8, row.cost);
      table.put(9, row.fee);
      table.put(10, row.proceeds - row.cost - 2 * row.fee);
      table.put(11, row.happenedAt);
      table.put(12, row.knowableAt);
      table.next();
    }
    this.rows = [];
    this.rewards.clear();
    this.charged.clear();
  }

  private resolve(slot: number, market: number, payout: number): void {
    this.book.resolved[slot] = 1;
    const held = this.book.of(slot, HELD);
    const cost = this.book.of(slot, COST);
    if (held === 0) return;
    const at = [this.knowledge.finalAt[market] as number, this.knowledge.knowableAt[market] as number] as const;
    this.add(slot, RESOLUTION, Math.abs(held), held * payout, 2 * cost, 0, ...at);
    this.charge(slot, ...at);
  }

  /** Charges what an event adds to the fee on winning, or takes from it. */
  private charge(slot: number, happenedAt: number, knowableAt: number): void {
    const token = this.book.tokens[slot] as number;
    const payout = this.book.resolved[slot] === 1 ? (this.knowledge.payout[token] as number) : Number.NaN;
    const fee = this.winningFee(slot, payout);
    const added = fee - (this.charged.get(slot) ?? 0);
    if (added === 0) return;
    this.charged.set(slot, fee);
    this.add(slot, WINNING_FEE, 0, 0, 0, added, happenedAt, knowableAt);
  }

  private add(
    slot: number,
    kind: number,
    shares: number,
    proceeds: number,
    cost: number,
    fee: number,
    happenedAt: number,
    knowableAt: number,
  ): void {
    const token = this.book.tokens[slot] as number;
    const step = this.book.steps[slot] as number;
    this.book.steps[slot] = step + 1;
    this.rows.push({
      market: this.knowledge.market[token] as number,
      token: token < this.knowledge.named ? token : -1,
      outcome: this.knowledge.outcome[token] as number,
      step,
      kind,
      shares,
      proceeds,
      cost,
      fee,
      happenedAt,
      knowableAt,
    });
  }
}
