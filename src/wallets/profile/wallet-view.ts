/** The fills of one wallet after the other, in memory of the kernels that measure them: kernels/wallet-fills.ts. */
import { FathomError } from '../../errors.ts';
import { type Facts, factArrays } from '../../facts/fact-reader.ts';
import { type Kernels, MOST_BYTES, type Pointer } from '../../kernels/kernels.ts';
import type { Dates } from '../dates.ts';

/** Columns of facts that profiles are computed from, in the order of `Source` in the kernels. */
export const factsRead = [
  'wallet',
  'market',
  'token',
  'time',
  'usd',
  'shares',
  'fee',
  'flags',
  'counterparty',
] as const;
export type ProfileFactColumn = (typeof factsRead)[number];

/**
 * The fills of one wallet in order of time that may enter a window, and the slots of what they are in: numbers from 0,
 * by first fill. Here is what is not done by the kernels alone. Arrays may be longer than what is used.
 */
export interface WalletView {
  wallet: number;
  /** Microseconds of its first fill ever. */
  firstAt: number;
  count: number;
  tokens: number;
  /** Microseconds. */
  time: Float64Array;
  /** Whole 1e-6. */
  shares: Float64Array;
  flags: Uint8Array;
  /** Slots of the market and of the token; -1 for a token that is not named. */
  market: Int32Array;
  token: Int32Array;
  /** By slot of a market, see `MarketTable`. */
  knowableAt: Float64Array;
  /** By slot of a token: its number, and the slot of its market. */
  tokenOf: Int32Array;
  marketOfToken: Int32Array;
  /** By slot of a token, its closing line: for the kernels, see token-marks.ts. */
  closing: Float64Array;
}

/** In the order of `WalletFills` in the kernels: counts and the wallet, then the time of its first fill, then columns. */
const COUNTS = ['count', 'markets', 'tokens', 'events', 'counterparties', 'self', 'wallet'] as const;
const FIRST_AT = 32;
const COLUMNS = 40;
const floats = ['time', 'usd', 'shares', 'fee', 'knowableAt', 'closedAt', 'createdAt', 'closing'] as const;
const ints = ['day', 'market', 'event', 'token', 'counterparty', 'eventOfMarket', 'marketOfToken', 'tokenOf'] as const;
const bytes = ['hour', 'flags'] as const;

/** Fills that there is room for at the least: a wallet's hours are counted among them. */
const LEAST_ROOM = 64;
/** What all who work on the fills of a wallet take at most for each of them. */
export const FILL_BYTES = 512;
/** What is made for one bucket has room for one that has a few fills more. */
const SPARE = 1.25;

/** Whoever works on the fills of a wallet in the same memory. */
export interface HasRoom {
  /** Makes room for wallets of so many fills. */
  reserve(room: number): void;
}

export class WalletViewer {
  /** `WalletFills` of the kernels. */
  readonly fills: Pointer;
  private readonly kernels: Kernels;
  private readonly source: Pointer;
  private readonly view: WalletView;
  private counts: Int32Array;
  private firstAt: Float64Array;
  /** Fills of a wallet, and of a bucket, that there is room for. */
  private readonly room: number;
  private factRoom = 0;

  /**
   * Left out are fills from the last date on, and those before the first window in markets whose resolution was known
   * before it: no column of any date depends on them, but for the time of the first fill.
   *
   * @param records of the markets, see market-records.ts
   * @param mostFills of a wallet: memory of the kernels is not given back, so it is taken once
   */
  constructor(kernels: Kernels, records: Float64Array, { times, lookback }: Dates, mostFills: number) {
    const markets = kernels.allocate(8 * records.length);
    new Float64Array(kernels.memory.buffer, markets, records.length).set(records);
    this.kernels = kernels;
    this.fills = kernels.makeWalletFills(markets, (times[0] as number) - lookback, times[times.length - 1] as number);
    this.source = kernels.sourceOf(this.fills);
    this.room = Math.max(LEAST_ROOM, mostFills);
    this.view = emptyView();
    this.counts = new Int32Array(0);
    this.firstAt = new Float64Array(0);
  }

  /** Makes room for the busiest wallet, here and where others work on its fills; once, before all else. */
  reserve(others: readonly HasRoom[]): void {
    const { kernels, room } = this;
    // The kernels would only trap.
    if (kernels.memory.buffer.byteLength + FILL_BYTES * room > MOST_BYTES)
      throw new FathomError('task', `no room in kernel memory for the ${room} fills of the busiest wallet`, {
        hint: 'one instance holds 4 GiB at most, some eight million fills of a wallet: shorten the time of the data',
      });
    kernels.reserveWalletFills(this.fills, room);
    for (const other of others) other.reserve(room);
  }

  /** Arrays for the facts of the next bucket; when they are filled, its wallets can be taken. */
  factsFor(fills: number): Facts<ProfileFactColumn> {
    const { kernels, source } = this;
    if (fills > this.factRoom) {
      this.factRoom = Math.ceil(SPARE * fills);
      const made = factsRead.map((name) => kernels.allocate(factArrays[name].BYTES_PER_ELEMENT * this.factRoom));
      new Uint32Array(kernels.memory.buffer, source, made.length).set(made);
    }
    const { buffer } = kernels.memory;
    const places = new Uint32Array(buffer, source, factsRead.length);
    const columns = factsRead.map((name, k) => [
      name,
      new factArrays[name](buffer, places[k] as number, this.factRoom),
    ]);
    return { rows: 0, ...Object.fromEntries(columns) };
  }

  /**
   * Takes the wallet whose fills lie from `begin` to `end` (exclusive). The result is used again by the next call.
   */
  take(begin: number, end: number): WalletView {
    const { view, kernels, fills } = this;
    if (end - begin > this.room)
      throw new FathomError(
        'data',
        `a wallet has ${end - begin} fills, and the table of wallets knows of none with more than ${this.room}`,
        {
          hint: 'run wallets.facts again',
        },
      );
    if (view.time.buffer !== kernels.memory.buffer) this.makeViews();
    checkExact(kernels.takeWallet(fills, begin, end));
    view.count = this.counts[COUNTS.indexOf('count')] as number;
    view.tokens = this.counts[COUNTS.indexOf('tokens')] as number;
    view.wallet = this.counts[COUNTS.indexOf('wallet')] as number;
    view.firstAt = this.firstAt[0] as number;
    return view;
  }

  /** Views of the memory of the kernels, which may have grown. */
  private makeViews(): void {
    const { view, fills, room } = this;
    const { buffer } = this.kernels.memory;
    this.counts = new Int32Array(buffer, fills, COUNTS.length);
    this.firstAt = new Float64Array(buffer, fills + FIRST_AT, 1);
    const names = [...floats, ...ints, ...bytes];
    const places = new Uint32Array(buffer, fills + COLUMNS, names.length);
    const place = (name: (typeof names)[number]): number => places[names.indexOf(name)] as number;
    for (const name of ['time', 'shares', 'knowableAt', 'closing'] as const)
      view[name] = new Float64Array(buffer, place(name), room);
    for (const name of ['market', 'token', 'tokenOf', 'marketOfToken'] as const)
      view[name] = new Int32Array(buffer, place(name), room);
    view.flags = new Uint8Array(buffer, place('flags'), room);
  }
}

/**
 * No sum over a wallet can then pass 2^53: profit and loss is counted in halves of 1e-6.
 *
 * @param total USD, shares and fees of a wallet, 1e-6
 */
function checkExact(total: number): void {
  if (2 * total > Number.MAX_SAFE_INTEGER)
    throw new FathomError(
      'data',
      `one wallet trades ${Math.round(total / 1e6)} USD and shares in all; sums stay exact up to ${Math.floor(Number.MAX_SAFE_INTEGER / 2e6)}`,
      { hint: 'shorten the time of the data, or check the units of usd and shares' },
    );
}

function emptyView(): WalletView {
  const [noInts, noFloats] = [new Int32Array(0), new Float64Array(0)];
  return {
    wallet: -1,
    firstAt: Number.NaN,
    count: 0,
    tokens: 0,
    time: noFloats,
    shares: noFloats,
    flags: new Uint8Array(0),
    market: noInts,
    token: noInts,
    knowableAt: noFloats,
    tokenOf: noInts,
    marketOfToken: noInts,
    closing: noFloats,
  };
}

/** An array of at least `size`, the old one if it is long enough. */
export function atLeast<A extends Int32Array | Float64Array>(old: A, size: number): A {
  if (old.length >= size) return old;
  return new (old.constructor as new (length: number) => A)(Math.max(64, 2 * size));
}

/** Up to so many entries a loop is done before a call of `fill` has begun. */
const FEW = 128;

/** Sets the first `count` entries to a value. */
export function putFirst(array: Int32Array | Float64Array, value: number, count: number): void {
  if (count > FEW) array.fill(value, 0, count);
  else for (let i = 0; i < count; i++) array[i] = value;
}
