/** Numbers of everything that stored trades name, group after group, and the tables of names that come of them. */
import { makeKernels } from '../kernels/kernels.ts';
import { NumberedNames } from '../kernels/numbered-names.ts';
import { Scratch } from '../kernels/scratch.ts';
import type { ColumnSpec } from '../tables/columns.ts';
import { type EncodedColumn, type EncodedRows, GROUP_ROWS, writeEncoded } from '../tables/parquet/encoded.ts';
import { Ints } from './growing.ts';
import type { TokenLists } from './lay-work.ts';
import type { FactFiles } from './layout.ts';
import { marketColumns, tokenColumns, walletColumns } from './name-columns.ts';
import { NameRows, through } from './name-rows.ts';
import type { GroupNames } from './name-work.ts';

/** The numbers of one thread, to those of all. */
interface Numbering {
  readonly wallets: Ints;
  readonly tokens: Ints;
  totals: GroupNames['totals'];
}

export class NameTables {
  private readonly kernels = makeKernels();
  private readonly scratch = new Scratch(this.kernels);
  private readonly wallets = new NumberedNames(this.kernels, this.scratch);
  private readonly tokens = new NumberedNames(this.kernels, this.scratch);
  private readonly markets = new NumberedNames(this.kernels, this.scratch);
  private readonly events = new NumberedNames(this.kernels, this.scratch);
  /** By wallet; the moment is told where there is a fill. */
  private fills = new Float64Array(0);
  private firstAt = new Float64Array(0);
  /** By token. */
  private readonly marketOf = new Ints();
  private readonly outcomeOf = new Ints();
  /** By market. */
  private readonly eventOf = new Ints();
  /** By file of the numbers of a thread. */
  private readonly numberings = new Map<string, Numbering>();

  /**
   * Takes what the next group names; false if a token is in another market or stands for another outcome than before, or
   * a market is in another event.
   */
  take({ numbers: { path }, wallets, tokens, totals }: GroupNames): boolean {
    const numbering = this.numberings.get(path) ?? { wallets: new Ints(), tokens: new Ints(), totals };
    this.numberings.set(path, numbering);
    numbering.totals = totals;
    const found = this.wallets.numbersOf(wallets.texts, wallets.numbers.length);
    for (let i = 0; i < found.length; i++) numbering.wallets.set(wallets.numbers[i] as number, found[i] as number);
    return this.takeTokens(tokens, numbering.tokens);
  }

  /** Adds up the fills of all threads, once they are done. Gives those of every wallet. */
  addUp(): Float64Array {
    const { count } = this.wallets;
    this.fills = new Float64Array(count);
    this.firstAt = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    for (const { wallets, totals } of this.numberings.values())
      totals.fills.forEach((fills, number) => {
        if (fills === 0) return;
        const wallet = wallets.at(number);
        this.fills[wallet] = (this.fills[wallet] as number) + fills;
        this.firstAt[wallet] = Math.min(this.firstAt[wallet] as number, totals.firstAt[number] as number);
      });
    return this.fills;
  }

  private takeTokens(named: GroupNames['tokens'], numbering: Ints): boolean {
    const { marketOf, outcomeOf, eventOf } = this;
    const count = named.numbers.length;
    let [knownTokens, knownMarkets] = [this.tokens.count, this.markets.count];
    const tokens = this.tokens.numbersOf(named.texts, count).slice();
    const markets = this.markets.numbersOf(named.markets, count).slice();
    const events = this.events.numbersOf(named.events, count);
    for (let i = 0; i < count; i++) {
      const [token, market, event] = [tokens[i], markets[i], events[i]] as [number, number, number];
      const outcome = named.outcomes[i] as number;
      numbering.set(named.numbers[i] as number, token);
      // What is new has the next number.
      if (market === knownMarkets) {
        knownMarkets++;
        eventOf.set(market, event);
      } else if (eventOf.at(market) !== event) return false;
      if (token === knownTokens) {
        knownTokens++;
        marketOf.set(token, market);
        outcomeOf.set(token, outcome);
      } else if (marketOf.at(token) !== market || outcomeOf.at(token) !== outcome) return false;
    }
    return true;
  }

  /** By file of the numbers of a thread, what its numbers are among those of all; in memory that threads share. */
  shared(): Record<string, { readonly wallets: Int32Array; readonly tokens: Int32Array }> {
    return Object.fromEntries(
      [...this.numberings].map(([file, { wallets, tokens }]) => [file, { wallets: wallets.list, tokens: tokens.list }]),
    );
  }

  /** The market of every token, in memory that threads share. */
  tokenLists(): TokenLists {
    const { count } = this.tokens;
    const tokenOf = new Int32Array(new SharedArrayBuffer(4 * count));
    for (let token = 0; token < count; token++) tokenOf[token] = token;
    return { marketOf: this.marketOf.list, tokenOf };
  }

  /** Writes the tables of wallets, markets and tokens. */
  async write(files: FactFiles): Promise<void> {
    const rows = new NameRows(this.kernels);
    const write = async (
      file: string,
      specs: readonly ColumnSpec[],
      { count }: NumberedNames,
      columnsOf: (from: number, to: number) => Record<string, EncodedColumn>,
    ): Promise<void> => {
      const groups: EncodedRows[] = [];
      for (let from = 0; from < count; from += GROUP_ROWS) {
        const to = Math.min(count, from + GROUP_ROWS);
        groups.push({ rows: to - from, columns: columnsOf(from, to) });
      }
      await writeEncoded(file, specs, groups);
    };
    await write(files.wallets, walletColumns, this.wallets, (from, to) => ({
      wallet: rows.whole('INTEGER', through(from, to)),
      address: rows.texts(this.wallets.names, through(from, to)),
      fills: rows.whole('BIGINT', this.fills.subarray(from, to)),
      firstAt: rows.moments(this.firstAt.subarray(from, to), this.fills.subarray(from, to)),
    }));
    await write(files.markets, marketColumns, this.markets, (from, to) => ({
      market: rows.whole('INTEGER', through(from, to)),
      name: rows.texts(this.markets.names, through(from, to)),
      event: rows.whole('INTEGER', this.eventOf.list.subarray(from, to)),
      eventName: rows.texts(this.events.names, this.eventOf.list.subarray(from, to)),
    }));
    await write(files.tokens, tokenColumns, this.tokens, (from, to) => ({
      token: rows.whole('INTEGER', through(from, to)),
      market: rows.whole('INTEGER', this.marketOf.list.subarray(from, to)),
      name: rows.texts(this.tokens.names, through(from, to)),
      outcome: rows.whole('INTEGER', this.outcomeOf.list.subarray(from, to)),
    }));
  }
}
