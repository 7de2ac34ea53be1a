/** Wallets in order of their addresses, out of DuckDB in a few large pieces: each value that leaves it costs as much as a hundred that stay. */
import { factFiles } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { streamArrays } from '../../tables/stream.ts';

/** Wallets that traded, in order of their addresses. */
export interface NamedWallets {
  readonly numbers: Int32Array;
  /** Addresses, one behind the other in UTF-8, and where each begins; the last offset is where the last one ends. */
  readonly texts: Uint8Array;
  readonly offsets: Uint32Array;
}

/** Addresses that DuckDB joins to one text. */
const GROUP = 4096;

/** Wallets from a number on and before another. */
export async function walletsByAddress(
  duck: Duck,
  facts: string,
  { from, to }: Pick<Bucket, 'from' | 'to'>,
): Promise<NamedWallets> {
  await duck.run(`CREATE OR REPLACE TABLE named_wallets AS SELECT wallet::INTEGER AS wallet, address
    FROM read_parquet(${quote(factFiles(facts).wallets)})
    WHERE wallet >= ${from} AND wallet < ${to} AND fills > 0 ORDER BY address`);
  const groups = await duck.rows<{ count: number; texts: Uint8Array }>(
    `SELECT count(*)::DOUBLE AS count, encode(string_agg(address, '' ORDER BY rowid)) AS texts FROM named_wallets
     GROUP BY rowid // ${GROUP} ORDER BY rowid // ${GROUP}`,
  );
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const numbers = new Int32Array(count);
  const offsets = new Uint32Array(count + 1);
  let place = 0;
  await streamArrays(
    duck,
    'SELECT wallet, strlen(address)::INTEGER FROM named_wallets',
    count,
    ([wallets, lengths], rows) => {
      numbers.set((wallets as Int32Array).subarray(0, rows), place);
      for (let i = 0; i < rows; i++, place++)
        offsets[place + 1] = (offsets[place] as number) + ((lengths as Int32Array)[i] as number);
    },
  );
  await duck.run('DROP TABLE named_wallets');
  const texts = new Uint8Array(offsets[count] as number);
  let at = 0;
  for (const group of groups) {
    texts.set(group.texts, at);
    at += group.texts.length;
  }
  return { numbers, texts, offsets };
}
