/**
 * The quick way from lines of poly_data's trades to canonical trades: a kernel reads plain lines (see
 * kernels/plain-fills.ts) into columns of numbers, and those are written as they are. It gives the rows that
 * `polyDataTrades` gives; where it is in doubt, it gives none.
 */

import type { PartNames } from '../../facts/trade-names.ts';
import { type Kernels, makeKernels, type Pointer } from '../../kernels/kernels.ts';
import { Pages } from '../../kernels/pages.ts';
import { type EncodedColumn, writeAhead } from '../../tables/parquet/encoded.ts';
import { PieceWriter } from '../../tables/pieces.ts';
import { canonicalColumns } from '../canonical.ts';
import type { FillSums } from './fill-sums.ts';
import type { MarketNames, Names } from './market-names.ts';
import { misalignment } from './pieces.ts';
import { exchangeContracts } from './poly-data.ts';

/** No plain line with two different sides is shorter. */
const SHORTEST_LINE = 197;

/** Lines are taken into the memory of the kernels so many bytes at a time: these stay in the caches until they are read. */
const BLOCK_BYTES = 1 << 18;
const LINE_FEED = 10;

/** Beyond the last line feed the kernel may look at a few bytes more. */
const SLACK = 256;

const ADDRESS_BYTES = 42;
const HASH_BYTES = 66;
/** Of the length that stands before a text. */
const LENGTH_BYTES = 4;
const ENTRY_BYTES = LENGTH_BYTES + ADDRESS_BYTES;

/** Places of the fields of `Fills`, and of `Texts` and `TextList`, in words of four bytes; see the kernels. */
const fillsAt = {
  lines: 0,
  rows: 1,
  makers: 2,
  disordered: 3,
  alike: 4,
  line: 5,
  time: 6,
  usd: 7,
  shares: 8,
  order: 9,
  price: 10,
  key: 11,
  wallet: 12,
  transaction: 13,
  other: 14,
  sold: 15,
  maker: 16,
  exchanges: 22,
} as const;
/** The same of `FillSums`; `gross` takes two of them. */
const sumsAt = {
  hours: 0,
  gross: 2,
  hour: 4,
  fills: 5,
  usd: 6,
  takerUsd: 7,
  cash: 8,
  net: 9,
  price: 10,
  fillsOfWallet: 11,
} as const;
const textsAt = { count: 1, entries: 2 } as const;

/** Kinds of names, and by how many bits of its key a fill has more of them than it tells apart. */
const shifts = { market: 1, event: 1, token: 0, outcome: 0 } as const;
type Name = keyof typeof shifts;
const kinds = Object.keys(shifts) as Name[];

/** The names of one kind in the memory of the kernels. */
interface LoadedNames {
  readonly texts: Pointer;
  readonly offsets: Pointer;
  readonly map: Pointer;
  /** One -1 for each text. */
  readonly places: Pointer;
}

/** Memory for the fills of pieces up to a size. */
interface Room {
  readonly fills: Pointer;
  readonly wallets: Pointer;
  readonly others: Pointer;
  readonly transactions: Pointer;
  readonly seen: Pointer;
  readonly sums: Pointer;
  readonly block: Pointer;
  /** For addresses of wallets and others in the order of the fills; see `PartNames`. */
  readonly inOrder: Readonly<Record<'entries' | 'texts' | 'walletAt' | 'otherAt' | 'firstAt', Pointer>>;
  /** Bytes of lines that there is room for. */
  readonly bytes: number;
  /** For what the fills name: the different ones, and the place among them of each fill. */
  readonly named: Readonly<Record<Name, { readonly list: Pointer; readonly numbers: Pointer }>>;
}

/** Of what is written, in 1 MB: most of a part, so that nobody waits for the disk. */
const PIECES = 12;

/** What the places in a dictionary, the lengths of texts and the rest of the pages take of a fill, at most. */
const PAGE_BYTES = 80;
const MORE_BYTES = 1 << 16;

/** Pieces differ by some lines: what is made for one has room for a little more, as it is never given back. */
const SPARE = 1.25;

/** Copies some of the memory of the kernels to where a thread leaves its results. */
type Put = <A extends Uint8Array | Int32Array | BigInt64Array | Float64Array>(
  type: new (buffer: ArrayBufferLike, at: number, length: number) => A,
  from: Pointer,
  length: number,
) => A;

export class PlainFills {
  private readonly kernels: Kernels = makeKernels();
  private readonly markets: Pointer;
  private readonly names: Readonly<Record<Name, LoadedNames>>;
  private room: Room | undefined;
  private readonly pages = new Pages(this.kernels);
  private readonly pieces: PieceWriter;

  /** @param direct true to write past the system's cache */
  constructor(names: MarketNames, direct = false) {
    this.pieces = new PieceWriter(direct, PIECES);
    const { kernels } = this;
    const { numbers, incomplete } = names;
    this.markets = kernels.makeNumbers(numbers.length);
    const [keys, places] = [kernels.allocate(8 * numbers.length), kernels.allocate(4 * numbers.length)];
    const keyOf = new BigUint64Array(kernels.memory.buffer, keys, numbers.length);
    const placeOf = new Int32Array(kernels.memory.buffer, places, numbers.length);
    let count = 0;
    numbers.forEach((number, place) => {
      if (Number.isNaN(number)) return;
      keyOf[count] = BigInt(number);
      // Below -1 the kernel leaves the line to others.
      placeOf[count++] = incomplete[place] === 1 ? -3 : place;
    });
    kernels.addNumbers(this.markets, keys, places, count);
    this.names = forKinds((kind) => this.load(names[kind]));
  }

  /** Lines that were read last, and the fills among them. */
  get lines(): number {
    return this.word('lines');
  }

  get rows(): number {
    return this.word('rows');
  }

  /** True if none of the fills is earlier than the one before it. */
  get ordered(): boolean {
    return this.word('disordered') === 0;
  }

  /** True if no fill may be the same as another; says nothing unless they are in order. */
  get different(): boolean {
    return this.word('alike') === 0;
  }

  /** Microseconds of the first and the last fill; null if there are none. */
  get first(): number | null {
    return this.rows === 0 ? null : this.timeOf(0);
  }

  get last(): number | null {
    return this.rows === 0 ? null : this.timeOf(this.rows - 1);
  }

  /** Reads whole lines; false if one of them is not plain or in doubt. */
  read(lines: Uint8Array): boolean {
    const room = this.makeRoom(lines.length);
    const { kernels } = this;
    kernels.forgetTexts(room.wallets);
    kernels.forgetTexts(room.others);
    kernels.emptyTextList(room.transactions);
    new Int32Array(kernels.memory.buffer, room.fills, 5).fill(0);
    for (let from = 0; from < lines.length; ) {
      const limit = from + BLOCK_BYTES;
      const to = limit < lines.length ? lines.lastIndexOf(LINE_FEED, limit - 1) + 1 : lines.length;
      // A line of more than a block is left to the slow way.
      if (to <= from) return false;
      const block = room.block + misalignment(lines.byteOffset + from);
      const end = block + to - from;
      this.pages.bytes(block, to - from).set(lines.subarray(from, to));
      if (kernels.readFills(room.fills, block, end) >>> 0 !== end) return false;
      from = to;
    }
    return true;
  }

  /**
   * Writes the fills as canonical trades.
   *
   * @param before lines of the file that come before those which were read: `seq` counts on from there
   * @returns when all is written; other lines may be read before that
   */
  async write(path: string, before: number): Promise<{ readonly written: Promise<void> }> {
    const { kernels, pages, rows } = this;
    const makers = this.word('makers');
    const room = this.room as Room;
    const named = forKinds((kind) => this.listNames(kind));
    const texts = kinds.reduce((sum, kind) => sum + named[kind].bytes, 0);
    pages.begin(PAGE_BYTES * rows + texts + MORE_BYTES);
    const fill = (name: keyof typeof fillsAt): Pointer => this.word(name);
    const range = (values: Pointer): EncodedColumn['range'] => {
      const numbers = new BigInt64Array(kernels.memory.buffer, values, rows);
      return { least: numbers[0] as bigint, greatest: numbers[rows - 1] as bigint };
    };
    const seq = this.numbersFrom(before, fill('line'));
    const outcomes = pages.scratch(rows);
    const outcomeOf = new Uint8Array(kernels.memory.buffer, outcomes, rows);
    const keys = new Int32Array(kernels.memory.buffer, fill('key'), rows);
    for (let i = 0; i < rows; i++) outcomeOf[i] = (keys[i] as number) & 1;
    const none = pages.nothing(rows);

    const columns: Record<string, EncodedColumn> = {
      seq: { type: 'BIGINT', ...pages.differences(seq, rows), range: range(seq) },
      time: { type: 'TIMESTAMP', ...pages.differences(fill('time'), rows), range: range(fill('time')) },
      market: this.named('market', named.market.count),
      event: this.named('event', named.event.count),
      token: this.named('token', named.token.count),
      outcome: this.named('outcome', named.outcome.count),
      outcomeIndex: { type: 'INTEGER', ...pages.places(outcomes, 1, rows, 2), dictionary: words32([0, 1]) },
      wallet: this.texts(room.wallets, fill('wallet'), rows, ADDRESS_BYTES),
      counterparty: {
        ...this.texts(room.others, fill('other'), makers, ADDRESS_BYTES),
        present: pages.presence(fill('maker'), rows),
        nulls: rows - makers,
      },
      role: { type: 'VARCHAR', ...pages.places(fill('maker'), 1, rows, 2), dictionary: words(['taker', 'maker']) },
      side: { type: 'VARCHAR', ...pages.places(fill('sold'), 1, rows, 2), dictionary: words(['BUY', 'SELL']) },
      price: { type: 'DOUBLE', ...pages.plain(fill('price'), rows) },
      usd: { type: 'DECIMAL(18, 6)', ...pages.differences(fill('usd'), rows) },
      shares: { type: 'DECIMAL(18, 6)', ...pages.differences(fill('shares'), rows) },
      fee: { type: 'DECIMAL(18, 6)', ...none },
      orderHash: { type: 'VARCHAR', ...none },
      orderGroup: { type: 'BIGINT', ...pages.plain(fill('order'), rows) },
      transaction: this.texts(room.transactions, fill('transaction'), rows, HASH_BYTES),
    };
    const specs = canonicalColumns.trades.map(({ type: _, ...spec }) => spec);
    return writeAhead(path, specs, [{ rows, columns }], this.pieces);
  }

  /**
   * Sums the fills, which must be in order.
   *
   * @param lines memory of the lines that were read: the sums lie there, so the lines are gone
   */
  sum(lines: ArrayBufferLike): FillSums {
    const { kernels } = this;
    const room = this.room as Room;
    const { count } = this.listNames('token');
    const { list, numbers } = room.named.token;
    kernels.sumFills(room.sums, room.fills, numbers, count);
    const { buffer } = kernels.memory;
    const words = new Uint32Array(buffer, room.sums, 12);
    const of = (name: keyof typeof sumsAt): number => words[sumsAt[name]] as number;
    const hours = of('hours');
    let at = 0;
    // Sums of a fill take less than its line.
    const put: Put = (type, from, length) => {
      const copy = new type(lines, at, length);
      copy.set(new type(buffer, from, length) as never);
      at += Math.ceil(copy.byteLength / 8) * 8;
      return copy;
    };
    const tokens = put(Int32Array, list, count);
    return {
      first: this.first as number,
      last: this.last as number,
      gross: new Float64Array(buffer, room.sums + 4 * sumsAt.gross, 1)[0] as number,
      hour: put(BigInt64Array, of('hour'), hours),
      fills: put(BigInt64Array, of('fills'), hours),
      usd: put(BigInt64Array, of('usd'), hours),
      takerUsd: put(BigInt64Array, of('takerUsd'), hours),
      tokens,
      cash: put(BigInt64Array, of('cash'), count),
      net: put(BigInt64Array, of('net'), count),
      price: put(Float64Array, of('price'), count),
      names: this.namesOfFills(put, of('fillsOfWallet'), tokens),
    };
  }

  /** What the fills name. */
  private namesOfFills(put: Put, fillsOfWallet: Pointer, tokens: Int32Array): PartNames {
    const { kernels, rows } = this;
    const { buffer } = kernels.memory;
    const { wallets, others, inOrder } = this.room as Room;
    const isMaker = new Uint8Array(buffer, this.word('maker'), rows);
    const walletOf = new Int32Array(buffer, this.word('wallet'), rows);
    const otherOf = new Int32Array(buffer, this.word('other'), this.word('makers'));
    // Lower and upper half of each.
    const times = new Uint32Array(buffer, this.word('time'), 2 * rows);
    const [walletEntries, otherEntries] = [
      this.dictionaryOf(wallets, ADDRESS_BYTES),
      this.dictionaryOf(others, ADDRESS_BYTES),
    ];
    const walletAt = new Int32Array(buffer, inOrder.walletAt, walletEntries.count);
    const otherAt = new Int32Array(buffer, inOrder.otherAt, otherEntries.count);
    const firstAt = new Float64Array(buffer, inOrder.firstAt, walletEntries.count);
    const entries = new Uint32Array(buffer, inOrder.entries, walletEntries.count + otherEntries.count);
    let [knownWallets, knownOthers, maker, count] = [0, 0, 0, 0];
    for (let row = 0; row < rows; row++) {
      // What is new has the next number.
      if (walletOf[row] === knownWallets) {
        entries[count] = walletEntries.bytes.byteOffset + knownWallets * ENTRY_BYTES;
        firstAt[knownWallets] = (times[2 * row + 1] as number) * 2 ** 32 + (times[2 * row] as number);
        walletAt[knownWallets++] = count++;
      }
      if (isMaker[row] === 0 || otherOf[maker++] !== knownOthers) continue;
      entries[count] = otherEntries.bytes.byteOffset + knownOthers * ENTRY_BYTES;
      otherAt[knownOthers++] = count++;
    }
    const end = kernels.copyTextsAt(inOrder.entries, count, inOrder.texts) >>> 0;
    return {
      texts: put(Uint8Array, inOrder.texts, end - inOrder.texts),
      walletAt: put(Int32Array, inOrder.walletAt, walletAt.length),
      otherAt: put(Int32Array, inOrder.otherAt, otherAt.length),
      fillsOfWallet: put(Int32Array, fillsOfWallet, walletAt.length),
      firstAt: put(Float64Array, inOrder.firstAt, firstAt.length),
      tokens,
    };
  }

  private word(name: keyof typeof fillsAt): number {
    const { fills } = this.room as Room;
    return new Uint32Array(this.kernels.memory.buffer, fills, 23)[fillsAt[name]] as number;
  }

  private timeOf(row: number): number {
    return Number(new BigInt64Array(this.kernels.memory.buffer, this.word('time') + 8 * row, 1)[0]);
  }

  private load({ count, bytes, offsets, map }: Names): LoadedNames {
    const { kernels } = this;
    const texts = kernels.allocate(bytes.length);
    new Uint8Array(kernels.memory.buffer, texts, bytes.length).set(bytes);
    const at = kernels.allocate(4 * offsets.length);
    new Uint32Array(kernels.memory.buffer, at, offsets.length).set(offsets);
    const numbers = kernels.allocate(4 * map.length);
    new Int32Array(kernels.memory.buffer, numbers, map.length).set(map);
    const places = kernels.allocate(4 * count);
    new Int32Array(kernels.memory.buffer, places, count).fill(-1);
    return { texts, offsets: at, map: numbers, places };
  }

  private makeRoom(least: number): Room {
    if (this.room !== undefined && this.room.bytes >= least) return this.room;
    const { kernels } = this;
    const bytes = Math.ceil(least * SPARE);
    const capacity = Math.ceil(bytes / SHORTEST_LINE) + 1;
    const wallets = kernels.makeTexts(ADDRESS_BYTES, capacity);
    const others = kernels.makeTexts(ADDRESS_BYTES, capacity);
    const transactions = kernels.makeTextList(HASH_BYTES, capacity);
    const seen = kernels.makeKeys(capacity);
    const fills = kernels.makeFills(
      capacity,
      this.markets,
      wallets,
      others,
      transactions,
      seen,
      exchangeContracts.length,
    );
    const sums = kernels.makeSums(capacity);
    const block = kernels.allocate(BLOCK_BYTES + SLACK);
    const named = forKinds(() => ({ list: kernels.allocate(4 * capacity), numbers: kernels.allocate(4 * capacity) }));
    const inOrder = {
      entries: kernels.allocate(8 * capacity),
      texts: kernels.allocate(2 * capacity * ENTRY_BYTES),
      walletAt: kernels.allocate(4 * capacity),
      otherAt: kernels.allocate(4 * capacity),
      firstAt: kernels.allocate(8 * capacity),
    };
    this.room = { fills, wallets, others, transactions, seen, sums, block, inOrder, bytes, named };
    const exchanges = Buffer.from(exchangeContracts.join(''), 'latin1');
    new Uint8Array(kernels.memory.buffer, this.word('exchanges'), exchanges.length).set(exchanges);
    return this.room;
  }

  private texts(table: Pointer, numbers: Pointer, count: number, length: number): EncodedColumn {
    const dictionary = this.dictionaryOf(table, length);
    return { type: 'VARCHAR', ...this.pages.places(numbers, 4, count, dictionary.count), dictionary };
  }

  /** The texts of a table. */
  private dictionaryOf(table: Pointer, length: number): NonNullable<EncodedColumn['dictionary']> {
    const words = new Uint32Array(this.kernels.memory.buffer, table, 3);
    const [count, entries] = [words[textsAt.count] as number, words[textsAt.entries] as number];
    return { count, bytes: this.pages.bytes(entries, count * (LENGTH_BYTES + length)) };
  }

  /** Lists the different names of one kind, and says how many bytes their texts take. */
  private listNames(kind: Name): { count: number; bytes: number } {
    const { kernels, rows } = this;
    const { list, numbers } = (this.room as Room).named[kind];
    const { offsets, map, places } = this.names[kind];
    const count = kernels.listOccurring(this.word('key'), rows, shifts[kind], map, places, list, numbers);
    const ends = new Uint32Array(kernels.memory.buffer, offsets);
    let bytes = LENGTH_BYTES * count;
    for (const place of new Int32Array(kernels.memory.buffer, list, count))
      bytes += (ends[place + 1] as number) - (ends[place] as number);
    return { count, bytes };
  }

  /** A column of names that have been listed. */
  private named(kind: Name, count: number): EncodedColumn {
    const { kernels, rows } = this;
    const { list, numbers } = (this.room as Room).named[kind];
    const { texts, offsets } = this.names[kind];
    return {
      type: 'VARCHAR',
      ...this.pages.places(numbers, 4, rows, count),
      dictionary: { count, bytes: this.pages.put((target) => kernels.copyTexts(texts, offsets, list, count, target)) },
    };
  }

  /** Numbers of 64 bits: those of 32 bits at a place, counted from `start` on. */
  private numbersFrom(start: number, lines: Pointer): Pointer {
    const { kernels, rows } = this;
    const target = this.pages.scratch(8 * rows);
    const line = new Int32Array(kernels.memory.buffer, lines, rows);
    const halves = new Int32Array(kernels.memory.buffer, target, 2 * rows);
    for (let i = 0; i < rows; i++) {
      const number = start + (line[i] as number);
      halves[2 * i] = number | 0;
      halves[2 * i + 1] = Math.floor(number / 2 ** 32);
    }
    return target;
  }
}

function forKinds<Value>(make: (kind: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Record<Name, Value>;
}

/** A dictionary of a few texts. */
function words(texts: readonly string[]): NonNullable<EncodedColumn['dictionary']> {
  const parts = texts.map((text) => {
    const bytes = Buffer.alloc(LENGTH_BYTES + text.length);
    bytes.writeUInt32LE(text.length);
    bytes.write(text, LENGTH_BYTES);
    return bytes;
  });
  return { count: texts.length, bytes: Buffer.concat(parts) };
}

/** The same of a few numbers of 32 bits. */
function words32(numbers: readonly number[]): NonNullable<EncodedColumn['dictionary']> {
  return { count: numbers.length, bytes: new Uint8Array(Int32Array.from(numbers).buffer) };
}
