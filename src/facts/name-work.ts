/**
 * Work of one thread on groups of stored trades: numbers what they name. Every thread has numbers of its own, and tells
 * of a name once.
 */
import { writeFile } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import { makeKernels, type Pointer } from '../kernels/kernels.ts';
import { Scratch } from '../kernels/scratch.ts';
import { Turns } from '../tables/job-order.ts';
import type { JobTools, JobWork } from '../tables/jobs.ts';
import { Floats, Ints } from './growing.ts';
import type { NamedTokens, PlainTexts } from './name-tables.ts';
import { roles, type StoredNumbers, sides } from './route-stored-work.ts';
import { GroupBytes, type GroupOfFile, StoredColumns, UnusualColumn } from './stored-columns.ts';

export interface NameJob extends GroupOfFile {
  /** Where the thread that takes this job first puts the numbers of all its groups. */
  readonly numbers: string;
}

export interface NameShared {
  /** True to read past the system's cache. */
  readonly direct: boolean;
}

/** What the trades of a group name. Numbers are those of the thread. */
export interface GroupNames {
  /** Where the numbers are that the places in the dictionaries stand for. */
  readonly numbers: StoredNumbers;
  /** Names that the thread has not told of, in order of their first trade; others come after the wallet of a trade. */
  readonly wallets: { readonly texts: PlainTexts; readonly numbers: Int32Array };
  readonly tokens: NamedTokens & { readonly numbers: Int32Array };
  /**
   * By wallet, its fills in all groups of the thread so far and microseconds of the first. The lists are the thread's own:
   * they are to be read when it is done.
   */
  readonly totals: { readonly fills: Int32Array; readonly firstAt: Float64Array };
}

const COLUMNS = ['time', 'market', 'event', 'token', 'outcomeIndex', 'wallet', 'counterparty', 'role', 'side'] as const;

/** Columns in which every row must have a value, so that trades go without a database. */
export const FILLED = ['seq', ...COLUMNS, 'usd', 'shares'].filter((name) => name !== 'counterparty');

/**
 * Gives what a group names; undefined where the trades are laid out in another way, or use a name in two ways. Some jobs
 * may run at once: each reads its group, and then they take turns.
 */
export default async function openNameWork(
  { direct }: NameShared,
  _tools: JobTools,
): Promise<JobWork<NameJob, GroupNames | undefined>> {
  const turns = new Turns();
  const spare: GroupBytes[] = [];
  let reader: NameReader | undefined;
  let last = -1;
  return async (job, index) => {
    const bytes = spare.pop() ?? new GroupBytes();
    try {
      const reading = bytes.read(job, { whole: COLUMNS }, direct);
      reading.catch(() => undefined);
      const { names, written } = await turns.run(async () => {
        await reading;
        // A name is told of once, by the first group that has it.
        if (index < last) throw new FathomError('internal', `group ${index} came after group ${last}`);
        last = index;
        reader ??= new NameReader(job.numbers);
        return reader.read(bytes);
      });
      await written;
      return names;
    } catch (error) {
      if (error instanceof UnusualColumn) return undefined;
      throw error;
    } finally {
      spare.push(bytes);
    }
  };
}

/** A column of texts in the memory of the kernels. */
interface Texts {
  /** By row, a place in the dictionary (i32). */
  readonly places: Pointer;
  /** Entries of the dictionary; their addresses (u32) and their numbers (i32). */
  readonly count: number;
  readonly addresses: Pointer;
  readonly numbers: Pointer;
}

/** How often the entries of a dictionary occur, and in which row first (i32). */
interface Counted {
  readonly counts: Pointer;
  readonly firsts: Pointer;
}

class NameReader {
  private readonly path: string;
  private readonly kernels = makeKernels();
  private readonly columns = new StoredColumns(this.kernels);
  private readonly scratch = new Scratch(this.kernels);
  private readonly names = {
    wallets: this.kernels.makeNames(),
    tokens: this.kernels.makeNames(),
    markets: this.kernels.makeNames(),
    events: this.kernels.makeNames(),
  };
  /** 1 for wallets that were told of. */
  private readonly told = new Ints();
  /** By token: its market, and its outcome + 1, which is 0 until it is told of; by market: its event + 1. */
  private readonly marketOf = new Ints();
  private readonly outcomeOf = new Ints();
  private readonly eventOf = new Ints();
  private end = 0;
  private readonly writes = new Turns();
  private readonly fills = new Ints();
  private readonly firstAt = new Floats();
  /** By twice the row, and one more for others: a wallet that is new, and the address of its text. */
  private newNumbers = new Int32Array(0);
  private newAddresses = new Int32Array(0);

  constructor(path: string) {
    this.path = path;
  }

  /** What a group names, and when its numbers are written; no names where they are used in two ways. */
  read(bytes: GroupBytes): { names: GroupNames | undefined; written: Promise<void> } {
    const nothing = { names: undefined, written: Promise.resolve() };
    const { columns, names } = this;
    const { rows } = bytes.group;
    columns.take(bytes);
    this.scratch.begin();
    if (FILLED.some((name) => columns.nulls(name) > 0)) return nothing;
    if (columns.words('side').some((side) => !(side in sides))) return nothing;
    if (columns.words('role').some((role) => !(role in roles))) return nothing;
    const wallet = this.texts('wallet', rows, names.wallets);
    const others = columns.nulls('counterparty') < rows;
    const other = others ? this.texts('counterparty', rows, names.wallets) : undefined;
    const token = this.texts('token', rows, names.tokens);
    const tokens = this.readTokens(token, rows);
    if (tokens === undefined) return nothing;
    const own = this.count(wallet, 0, rows);
    this.addUp(wallet, own, rows);
    const sizes = { wallets: wallet.count, others: other?.count ?? 0, tokens: token.count };
    const { at, written } = this.write([wallet, other, token]);
    return {
      names: {
        numbers: { path: this.path, at, ...sizes },
        wallets: this.newWallets(wallet, own, other, rows),
        tokens,
        totals: { fills: this.fills.list, firstAt: this.firstAt.list },
      },
      written,
    };
  }

  /** Appends the numbers of some dictionaries to the file of all; says where. */
  private write(columns: readonly (Texts | undefined)[]): { at: number; written: Promise<void> } {
    const at = this.end;
    const all = columns.map((texts) =>
      texts === undefined ? new Int32Array(0) : this.scratch.ints(texts.numbers, texts.count).slice(),
    );
    for (const { byteLength } of all) this.end += byteLength;
    const written = this.writes.run(async () => {
      // A run that was killed may have left such a file.
      let flag = at === 0 ? 'w' : 'a';
      for (const numbers of all) {
        await writeFile(this.path, new Uint8Array(numbers.buffer), { flag });
        flag = 'a';
      }
    });
    // It may fail before anybody waits for it.
    written.catch(() => undefined);
    return { at, written };
  }

  /** Adds the fills of the group to those of its wallets. */
  private addUp(wallet: Texts, counted: Counted, rows: number): void {
    const { kernels, columns, scratch } = this;
    const time = scratch.take(8 * rows);
    columns.numbers('time', time);
    const times = new BigInt64Array(kernels.memory.buffer, time, rows);
    const numbers = scratch.ints(wallet.numbers, wallet.count);
    const [counts, firsts] = [scratch.ints(counted.counts, wallet.count), scratch.ints(counted.firsts, wallet.count)];
    const most = kernels.nameCount(this.names.wallets);
    const [fills, firstAt] = [this.fills.reach(most), this.firstAt.reach(most)];
    for (let place = 0; place < wallet.count; place++) {
      const count = counts[place] as number;
      if (count === 0) continue;
      const number = numbers[place] as number;
      const before = fills[number] as number;
      if (before === 0) firstAt[number] = Number(times[firsts[place] as number]);
      fills[number] = before + count;
    }
  }

  private newWallets(wallet: Texts, own: Counted, other: Texts | undefined, rows: number): GroupNames['wallets'] {
    const { columns, scratch } = this;
    if (this.newNumbers.length < 2 * rows)
      [this.newNumbers, this.newAddresses] = [new Int32Array(2 * rows), new Int32Array(2 * rows)];
    this.newNumbers.fill(-1, 0, 2 * rows);
    this.told.reach(this.kernels.nameCount(this.names.wallets));
    this.markNew(wallet, own, 0);
    if (other !== undefined) {
      const present = columns.nullable('counterparty') ? scratch.take(rows) : 0;
      if (present !== 0) columns.presence('counterparty', present);
      this.markNew(other, this.count(other, present, rows), 1);
    }
    const { newNumbers, newAddresses } = this;
    const { list: told } = this.told;
    // Moved to the front; who is new as a wallet and as another is there twice.
    let count = 0;
    for (let i = 0; i < 2 * rows; i++) {
      const number = newNumbers[i] as number;
      if (number < 0 || told[number] !== 0) continue;
      told[number] = 1;
      newNumbers[count] = number;
      newAddresses[count++] = newAddresses[i] as number;
    }
    return { texts: this.copy(newAddresses.subarray(0, count)), numbers: newNumbers.slice(0, count) };
  }

  private markNew(texts: Texts, counted: Counted, shift: 0 | 1): void {
    const { scratch, newNumbers, newAddresses } = this;
    const { list: told } = this.told;
    const [counts, firsts] = [scratch.ints(counted.counts, texts.count), scratch.ints(counted.firsts, texts.count)];
    const [numbers, addresses] = [scratch.ints(texts.numbers, texts.count), scratch.ints(texts.addresses, texts.count)];
    for (let place = 0; place < texts.count; place++) {
      const number = numbers[place] as number;
      if (counts[place] === 0 || told[number] !== 0) continue;
      const row = 2 * (firsts[place] as number) + shift;
      newNumbers[row] = number;
      newAddresses[row] = addresses[place] as number;
    }
  }

  /** Tokens that the thread has not told of; undefined if one is in another market, or a market in another event, than before. */
  private readTokens(token: Texts, rows: number): GroupNames['tokens'] | undefined {
    const { kernels, columns, scratch, names, marketOf, outcomeOf, eventOf } = this;
    const market = this.texts('market', rows, names.markets);
    const event = this.texts('event', rows, names.events);
    const outcome = scratch.take(4 * rows);
    columns.places('outcomeIndex', outcome);
    const outcomes = columns.smallNumbers('outcomeIndex');
    if (outcomes.some((one) => one !== 0 && one !== 1)) return undefined;
    const list = scratch.take(16 * token.count);
    scratch.ints(list, 4 * token.count).fill(0);
    if (kernels.listPlaces(token.places, market.places, event.places, outcome, rows, list) > 0) return undefined;
    const entries = scratch.ints(list, 4 * token.count);
    const [numbers, marketNumbers, eventNumbers] = [token, market, event].map((texts) =>
      scratch.ints(texts.numbers, texts.count),
    ) as [Int32Array, Int32Array, Int32Array];
    /** Places of new tokens with their first row. */
    const found: { place: number; row: number }[] = [];
    for (let place = 0; place < token.count; place++) {
      const row = (entries[4 * place + 3] as number) - 1;
      if (row < 0) continue;
      const number = numbers[place] as number;
      const itsMarket = marketNumbers[entries[4 * place] as number] as number;
      const itsEvent = eventNumbers[entries[4 * place + 1] as number] as number;
      const itsOutcome = outcomes[entries[4 * place + 2] as number] as number;
      const known = eventOf.at(itsMarket);
      if (known !== 0 && known !== itsEvent + 1) return undefined;
      eventOf.set(itsMarket, itsEvent + 1);
      if (outcomeOf.at(number) === 0) {
        outcomeOf.set(number, itsOutcome + 1);
        marketOf.set(number, itsMarket);
        found.push({ place, row });
      } else if (outcomeOf.at(number) !== itsOutcome + 1 || marketOf.at(number) !== itsMarket) return undefined;
    }
    const places = Int32Array.from(
      found.sort((a, b) => a.row - b.row),
      ({ place }) => place,
    );
    const addressesOf = (texts: Texts, placeOf: (place: number) => number): Int32Array => {
      const addresses = scratch.ints(texts.addresses, texts.count);
      return places.map((place) => addresses[placeOf(place)] as number);
    };
    const all = [
      addressesOf(token, (place) => place),
      addressesOf(market, (place) => entries[4 * place] as number),
      addressesOf(event, (place) => entries[4 * place + 1] as number),
    ] as const;
    const newNumbers = places.map((place) => numbers[place] as number);
    // Who leaves a token without a name means none.
    const lengths = new DataView(kernels.memory.buffer);
    if (all[0].some((address) => lengths.getUint32(address, true) === 0)) return undefined;
    return {
      texts: this.copy(all[0]),
      numbers: newNumbers,
      markets: this.copy(all[1]),
      events: this.copy(all[2]),
      outcomes: newNumbers.map((number) => outcomeOf.at(number) - 1),
    };
  }

  private texts(name: string, rows: number, names: Pointer): Texts {
    const { kernels, scratch } = this;
    const { at, count } = this.columns.dictionary(name);
    const [places, addresses, numbers] = [scratch.take(4 * rows), scratch.take(4 * count), scratch.take(4 * count)];
    this.columns.places(name, places);
    kernels.findTexts(at, count, addresses);
    kernels.numberNames(names, at, count, numbers);
    return { places, count, addresses, numbers };
  }

  private count(texts: Texts, present: Pointer, rows: number): Counted {
    const { kernels, scratch } = this;
    const [counts, firsts] = [scratch.take(4 * texts.count), scratch.take(4 * texts.count)];
    scratch.ints(counts, texts.count).fill(0);
    kernels.countPlaces(texts.places, present, rows, counts, firsts);
    return { counts, firsts };
  }

  /** The texts at some addresses. */
  private copy(addresses: Int32Array): PlainTexts {
    const { kernels, scratch } = this;
    const list = scratch.put(addresses);
    const bytes = kernels.bytesOfTexts(list, addresses.length) >>> 0;
    const target = scratch.take(bytes);
    kernels.copyTextsAt(list, addresses.length, target);
    return new Uint8Array(kernels.memory.buffer, target, bytes).slice();
  }
}
