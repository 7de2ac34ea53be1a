/** Numbers of all that trades name, from the numbers that several threads gave to what they read. */
import { Ints } from './growing.ts';
import { NameTables, type WalletTotals } from './name-tables.ts';
import type { GroupNames } from './name-work.ts';

/** The numbers of one thread, to those of all. */
interface Numbering {
  readonly wallets: Ints;
  readonly tokens: Ints;
  totals: GroupNames['totals'];
}

export class MergedNames {
  readonly tables = new NameTables();
  /** By file of the numbers of a thread. */
  private readonly numberings = new Map<string, Numbering>();

  /** Takes what the next group names; false if tokens or markets are used in another way than before. */
  take({ numbers: { path }, wallets, tokens, totals }: GroupNames): boolean {
    const numbering = this.numberings.get(path) ?? { wallets: new Ints(), tokens: new Ints(), totals };
    this.numberings.set(path, numbering);
    numbering.totals = totals;
    const found = this.tables.wallets.numbersOf(wallets.texts, wallets.numbers.length);
    for (let i = 0; i < found.length; i++) numbering.wallets.set(wallets.numbers[i] as number, found[i] as number);
    const known = this.tables.takeTokens(tokens);
    if (known === undefined) return false;
    for (let i = 0; i < known.length; i++) numbering.tokens.set(tokens.numbers[i] as number, known[i] as number);
    return true;
  }

  /** Adds up the fills of all threads, once they are done. */
  addUp(): WalletTotals & { readonly fills: Float64Array } {
    const { count } = this.tables.wallets;
    const fills = new Float64Array(count);
    const firstAt = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    for (const { wallets, totals } of this.numberings.values())
      totals.fills.forEach((own, number) => {
        if (own === 0) return;
        const wallet = wallets.at(number);
        fills[wallet] = (fills[wallet] as number) + own;
        firstAt[wallet] = Math.min(firstAt[wallet] as number, totals.firstAt[number] as number);
      });
    return { fills, firstAt };
  }

  /** By file of the numbers of a thread, what its numbers are among those of all; in memory that threads share. */
  shared(): Record<string, { readonly wallets: Int32Array; readonly tokens: Int32Array }> {
    return Object.fromEntries(
      [...this.numberings].map(([file, { wallets, tokens }]) => [file, { wallets: wallets.list, tokens: tokens.list }]),
    );
  }
}
