/**
 * Numbers of everything that trades name, kept in a folder beside the parts of their table: who imports trades looks their
 * names up anyway, and facts need not do it again. Facts made with them are the same as without.
 */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Turns } from '../tables/job-order.ts';
import type { StoredFile } from '../tables/parquet/stored.ts';
import { Floats, Ints } from './growing.ts';
import { type FactFiles, factFiles } from './layout.ts';
import { type NamedTokens, NameTables, type PlainTexts } from './name-tables.ts';
import { FILLED } from './name-work.ts';
import type { StoredNumbers } from './route-stored-work.ts';

/** What the trades of a part name. */
export interface PartNames {
  /** Addresses in the order in which the part first has them, the wallet of a trade before the other side. */
  readonly texts: PlainTexts;
  /** By place in the dictionary of wallets, and of the other sides: place among the addresses. */
  readonly walletAt: Int32Array;
  readonly otherAt: Int32Array;
  /** By place in the dictionary of wallets: fills, and microseconds of the first. */
  readonly fillsOfWallet: Int32Array;
  readonly firstAt: Float64Array;
  /** By place in the dictionary of tokens: what the token is known by (a whole number). */
  readonly tokens: Int32Array;
}

interface PartOfIndex extends Pick<StoredNumbers, 'at' | 'wallets' | 'others' | 'tokens'> {
  readonly file: string;
  readonly bytes: number;
}

const namesFolder = (trades: string): string => path.join(trades, 'names');
const indexFile = (trades: string): string => path.join(namesFolder(trades), 'index.json');
const numbersFile = (trades: string): string => path.join(namesFolder(trades), 'numbers.i32');

/** Takes the names of one part after the other. */
export class TradeNames {
  private readonly scratch: string;
  private readonly tables = new NameTables();
  private readonly totalFills = new Ints();
  private readonly firstAt = new Floats();
  private readonly namesOf: (keys: Int32Array) => NamedTokens;
  /** By what a token is known by: its number + 1. */
  private readonly tokenOf = new Ints();
  /** Tokens that are used in two ways. */
  private unusual = 0;
  private readonly parts: Omit<PartOfIndex, 'file' | 'bytes'>[] = [];
  private end = 0;
  /** For numbers of parts, which are given back once they are written. */
  private readonly spare: Ints[] = [];
  private readonly writes = new Turns();
  private written: Promise<void> = Promise.resolve();

  /**
   * @param scratch a file for numbers until the trades are there
   * @param namesOf what tokens are called, by what they are known by
   */
  constructor(scratch: string, namesOf: (keys: Int32Array) => NamedTokens) {
    this.scratch = scratch;
    this.namesOf = namesOf;
  }

  /** By number of the wallet, its own fills: 0 for those that are only ever on the other side. */
  get fills(): Int32Array {
    return this.totalFills.list.subarray(0, this.tables.wallets.count);
  }

  take({ texts, walletAt, otherAt, fillsOfWallet, firstAt, tokens }: PartNames): void {
    const [wallets, others] = [walletAt.length, otherAt.length];
    const numbers = this.tables.wallets.numbersOf(texts, wallets + others);
    const { count } = this.tables.wallets;
    const [fills, first] = [this.totalFills.reach(count), this.firstAt.reach(count)];
    const list = this.spare.pop() ?? new Ints();
    const own = list.reach(wallets + others + tokens.length).subarray(0, wallets + others + tokens.length);
    for (let i = 0; i < wallets; i++) {
      const number = numbers[walletAt[i] as number] as number;
      own[i] = number;
      if (fills[number] === 0) first[number] = firstAt[i] as number;
      fills[number] = (fills[number] as number) + (fillsOfWallet[i] as number);
    }
    for (let i = 0; i < others; i++) own[wallets + i] = numbers[otherAt[i] as number] as number;
    this.takeTokens(tokens.filter((key) => this.tokenOf.at(key) === 0));
    tokens.forEach((key, i) => {
      own[wallets + others + i] = this.tokenOf.at(key) - 1;
    });
    const at = this.end;
    this.parts.push({ at, wallets, others, tokens: tokens.length });
    this.end += own.byteLength;
    this.written = this.writes.run(async () => {
      // A run that was killed may have left such a file.
      const flag = at === 0 ? 'w' : 'a';
      await writeFile(this.scratch, new Uint8Array(own.buffer, 0, own.byteLength), { flag });
      this.spare.push(list);
    });
    // Whoever waits for it is told.
    this.written.catch(() => undefined);
  }

  /** Takes tokens that are new. */
  private takeTokens(keys: Int32Array): void {
    const numbers = this.tables.takeTokens(this.namesOf(keys));
    if (numbers === undefined) this.unusual++;
    numbers?.forEach((number, i) => {
      this.tokenOf.set(keys[i] as number, number + 1);
    });
  }

  /**
   * Puts the names beside the parts of trades; nothing where tokens are used in two ways.
   *
   * @param trades folder of the parts
   * @param parts their names in the order in which they were taken
   */
  async write(trades: string, parts: readonly string[]): Promise<void> {
    if (this.unusual > 0) return;
    await mkdir(namesFolder(trades), { recursive: true });
    await this.written;
    await rename(this.scratch, numbersFile(trades));
    await this.tables.write(factFiles(namesFolder(trades)), { fills: this.fills, firstAt: this.firstAt.list });
    const index: PartOfIndex[] = await Promise.all(
      this.parts.map(async (part, i) => {
        const file = parts[i] as string;
        return { file, bytes: (await stat(path.join(trades, file))).size, ...part };
      }),
    );
    // The last of the files: without it the others count for nothing.
    await writeFile(indexFile(trades), `${JSON.stringify({ parts: index })}\n`);
  }
}

/** Names of trades in a folder. */
export interface KnownNames {
  /** Tables as facts have them. */
  readonly tables: Omit<FactFiles, 'facts'>;
  /** By part of the trades: the numbers of all that its one group of rows names. */
  readonly numbers: readonly StoredNumbers[];
}

/** The names beside the parts of trades; undefined if there are none, or not of just these parts. */
export async function readTradeNames(trades: string, files: readonly StoredFile[]): Promise<KnownNames | undefined> {
  const text = await readFile(indexFile(trades), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { parts } = JSON.parse(text) as { readonly parts: readonly PartOfIndex[] };
  const fits = files.every(({ path: file, bytes, groups }, i) => {
    const [group] = groups;
    return (
      parts[i]?.file === path.basename(file) &&
      parts[i].bytes === bytes &&
      groups.length === 1 &&
      FILLED.every((name) => group?.columns[name]?.nulls === 0)
    );
  });
  if (!fits || parts.length !== files.length) return undefined;
  return {
    tables: factFiles(namesFolder(trades)),
    numbers: parts.map(({ file: _, bytes: __, ...part }) => ({ path: numbersFile(trades), ...part })),
  };
}
