/** Exact sums of fills: of pieces while they are read, and of all of them, so that nobody reads the trades again for them. */
import path from 'node:path';
import type { NamedTokens } from '../../facts/name-tables.ts';
import { type PartNames, TradeNames } from '../../facts/trade-names.ts';
import type { ColumnSpec } from '../../tables/columns.ts';
import { quote } from '../../tables/duck.ts';
import { type EncodedColumn, type EncodedType, writeEncoded } from '../../tables/parquet/encoded.ts';

/** Sums of some fills; columns by hour, by token and by wallet. Amounts are in millionths. */
export interface FillSums {
  /** Microseconds of the first and the last fill. */
  readonly first: number;
  readonly last: number;
  /** USD and tokens of all fills, not exact: no other sum is further from 0. */
  readonly gross: number;
  /** Hours since 1970 in which there are fills, how many, and USD of all and of takers. */
  readonly hour: BigInt64Array;
  readonly fills: BigInt64Array;
  readonly usd: BigInt64Array;
  readonly takerUsd: BigInt64Array;
  /** Tokens, twice the place of the market and the outcome; USD got less spent, tokens bought less sold, and last price. */
  readonly tokens: Int32Array;
  readonly cash: BigInt64Array;
  readonly net: BigInt64Array;
  readonly price: Float64Array;
  /** What the fills name; tokens as above. */
  readonly names: PartNames;
}

/** Relations with the sums of all trades of a file, as SQL. */
export interface SummedTrades {
  /** UTC milliseconds of the first and the last trade. */
  readonly from: number;
  readonly to: number;
  /** `hour` (since 1970), `fills`, `usd`, `takerUsd`. */
  readonly byHour: string;
  /** `market` (its place), `cash`, `net`, `price`. */
  readonly byToken: string;
  /** `fills`. */
  readonly byWallet: string;
}

/** Sums up to here are decimals of 18 digits, also where what tells how large they are is not exact. */
const LARGEST_GROSS = 9e17;

/** Adds up the sums of pieces, in the order of the file. */
export class TradeSums {
  readonly names: TradeNames;
  private gross = 0;
  private first = Number.POSITIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;
  private readonly hours = new Map<bigint, { fills: bigint; usd: bigint; takerUsd: bigint }>();
  private readonly cash: BigInt64Array;
  private readonly net: BigInt64Array;
  private readonly price: Float64Array;
  /** By token: 1 if it was traded. */
  private readonly traded: Uint8Array;

  /**
   * @param tokens how many there may be
   * @param scratch a folder for what is put together
   * @param namesOf what tokens are called
   */
  constructor(tokens: number, scratch: string, namesOf: (tokens: Int32Array) => NamedTokens) {
    this.names = new TradeNames(path.join(scratch, 'numbers-of-names'), namesOf);
    this.cash = new BigInt64Array(tokens);
    this.net = new BigInt64Array(tokens);
    this.price = new Float64Array(tokens);
    this.traded = new Uint8Array(tokens);
  }

  /** False if a sum may be too large. */
  get exact(): boolean {
    return this.gross < LARGEST_GROSS;
  }

  /** Adds the sums of the next piece. */
  add(sums: FillSums): void {
    this.gross += sums.gross;
    this.first = Math.min(this.first, sums.first);
    this.last = Math.max(this.last, sums.last);
    sums.hour.forEach((hour, i) => {
      const known = this.hours.get(hour) ?? { fills: 0n, usd: 0n, takerUsd: 0n };
      known.fills += sums.fills[i] as bigint;
      known.usd += sums.usd[i] as bigint;
      known.takerUsd += sums.takerUsd[i] as bigint;
      this.hours.set(hour, known);
    });
    const { cash, net, price, traded } = this;
    sums.tokens.forEach((token, i) => {
      cash[token] = (cash[token] as bigint) + (sums.cash[i] as bigint);
      net[token] = (net[token] as bigint) + (sums.net[i] as bigint);
      price[token] = sums.price[i] as number;
      traded[token] = 1;
    });
    this.names.take(sums.names);
  }

  /** Writes what was added as tables into a folder. */
  async write(folder: string): Promise<SummedTrades> {
    const hours = [...this.hours].sort(([a], [b]) => (a < b ? -1 : 1));
    const hourColumn = (value: (sums: { fills: bigint; usd: bigint; takerUsd: bigint }) => bigint): BigInt64Array =>
      BigInt64Array.from(hours, ([, sums]) => value(sums));
    const traded = Int32Array.from(this.traded, (_, token) => token).filter((token) => this.traded[token] === 1);
    const ofTokens = <A extends BigInt64Array | Float64Array>(values: A, made: A): A => {
      for (let i = 0; i < traded.length; i++) made[i] = values[traded[i] as number] as A[number];
      return made;
    };
    const table = async (name: string, columns: Readonly<Record<string, PlainColumn>>): Promise<string> => {
      const file = path.join(folder, `${name}.parquet`);
      await writeTable(file, columns);
      return `read_parquet(${quote(file)})`;
    };
    return {
      from: Math.floor(this.first / 1000),
      to: Math.floor(this.last / 1000),
      byHour: await table('sums-by-hour', {
        hour: ['BIGINT', BigInt64Array.from(hours, ([hour]) => hour)],
        fills: ['BIGINT', hourColumn(({ fills }) => fills)],
        usd: ['DECIMAL(18, 6)', hourColumn(({ usd }) => usd)],
        takerUsd: ['DECIMAL(18, 6)', hourColumn(({ takerUsd }) => takerUsd)],
      }),
      byToken: await table('sums-by-token', {
        market: ['BIGINT', wide(traded.map((token) => token >> 1))],
        cash: ['DECIMAL(18, 6)', ofTokens(this.cash, new BigInt64Array(traded.length))],
        net: ['DECIMAL(18, 6)', ofTokens(this.net, new BigInt64Array(traded.length))],
        price: ['DOUBLE', ofTokens(this.price, new Float64Array(traded.length))],
      }),
      byWallet: await table('sums-by-wallet', {
        fills: ['BIGINT', wide(this.names.fills.filter((fills) => fills > 0))],
      }),
    };
  }
}

/** The same numbers, none of them negative, in 64 bits. */
function wide(values: Int32Array): BigInt64Array {
  const made = new BigInt64Array(values.length);
  const halves = new Int32Array(made.buffer);
  for (let i = 0; i < values.length; i++) halves[2 * i] = values[i] as number;
  return made;
}

type PlainColumn = readonly [type: EncodedType, values: BigInt64Array | Float64Array];

async function writeTable(file: string, columns: Readonly<Record<string, PlainColumn>>): Promise<void> {
  const specs = Object.keys(columns).map((name): ColumnSpec => ({ name, role: 'info' }));
  const encoded = Object.entries(columns).map(([name, [type, values]]): [string, EncodedColumn] => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return [name, { type, encoding: 'plain', values: [bytes] }];
  });
  const rows = (Object.values(columns)[0] as PlainColumn)[1].length;
  await writeEncoded(file, specs, [{ rows, columns: Object.fromEntries(encoded) }]);
}
