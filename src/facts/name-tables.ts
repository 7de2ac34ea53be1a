/** Everything that trades name, numbered by first appearance, and the tables of names that come of it. */
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

/** Texts as Parquet's plain encoding has them: one behind the other, each with its length (u32) before it. */
export type PlainTexts = Uint8Array;

/** Tokens in the order of their first trade, each with its market and its event. */
export interface NamedTokens {
  readonly texts: PlainTexts;
  readonly markets: PlainTexts;
  readonly events: PlainTexts;
  readonly outcomes: Int32Array;
}

/** By number of the wallet, its own fills and microseconds of the first of them; a time counts where there are fills. */
export interface WalletTotals {
  readonly fills: Int32Array | Float64Array;
  readonly firstAt: Float64Array;
}

export class NameTables {
  private readonly kernels = makeKernels();
  private readonly scratch = new Scratch(this.kernels);
  readonly wallets = new NumberedNames(this.kernels, this.scratch);
  private readonly tokens = new NumberedNames(this.kernels, this.scratch);
  private readonly markets = new NumberedNames(this.kernels, this.scratch);
  private readonly events = new NumberedNames(this.kernels, this.scratch);
  /** By token. */
  private readonly marketOf = new Ints();
  private readonly outcomeOf = new Ints();
  /** By market. */
  private readonly eventOf = new Ints();

  /**
   * Takes tokens, of which some may be known. Gives their numbers; undefined if one is in another market or stands for
   * another outcome than before, or a market is in another event.
   */
  takeTokens(named: NamedTokens): Int32Array | undefined {
    const { marketOf, outcomeOf, eventOf } = this;
    const count = named.outcomes.length;
    let [knownTokens, knownMarkets] = [this.tokens.count, this.markets.count];
    const tokens = this.tokens.numbersOf(named.texts, count).slice();
    const markets = this.markets.numbersOf(named.markets, count).slice();
    const events = this.events.numbersOf(named.events, count);
    for (let i = 0; i < count; i++) {
      const [token, market, event] = [tokens[i], markets[i], events[i]] as [number, number, number];
      const outcome = named.outcomes[i] as number;
      // What is new has the next number.
      if (market === knownMarkets) {
        knownMarkets++;
        eventOf.set(market, event);
      } else if (eventOf.at(market) !== event) return undefined;
      if (token === knownTokens) {
        knownTokens++;
        marketOf.set(token, market);
        outcomeOf.set(token, outcome);
      } else if (marketOf.at(token) !== market || outcomeOf.at(token) !== outcome) return undefined;
    }
    return tokens;
  }

  /** The market of every token, in memory that threads share. */
  tokenLists(): TokenLists {
    return tokenLists(this.marketOf.list.subarray(0, this.tokens.count));
  }

  /** Writes the tables of wallets, markets and tokens. */
  async write(files: Omit<FactFiles, 'facts'>, { fills, firstAt }: WalletTotals): Promise<void> {
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
      fills: rows.whole('BIGINT', fills.subarray(from, to)),
      firstAt: rows.moments(firstAt.subarray(from, to), fills.subarray(from, to)),
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

/** Of tokens that go by their own number, in memory that threads share. */
export function tokenLists(markets: Int32Array): TokenLists {
  const [marketOf, tokenOf] = [0, 1].map(() => new Int32Array(new SharedArrayBuffer(4 * markets.length))) as [
    Int32Array,
    Int32Array,
  ];
  marketOf.set(markets);
  for (let token = 0; token < markets.length; token++) tokenOf[token] = token;
  return { marketOf, tokenOf };
}
