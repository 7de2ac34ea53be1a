/**
 * Facts: the trades as whole numbers, sorted by wallet and then by time, in a folder of four Parquet tables. Wallets,
 * markets, events and tokens go by numbers, given in the order in which the trades first name them: cutting off the
 * future renumbers nothing. See docs/methods.md, "Facts".
 */
import path from 'node:path';
import type { ColumnSpec } from '../tables/columns.ts';
import { parquetFiles, parquetRelation } from '../tables/parquet-files.ts';

/** The files of a folder of facts. */
export interface FactFiles {
  /**
   * One row a fill, ordered by wallet and seq; the columns of `FactColumns`. A folder of parts if there are several
   * buckets of wallets: a part for each.
   */
  readonly facts: string;
  /**
   * One row a wallet, ordered by its number `wallet`: `address`, `fills`, `firstAt`. Wallets that the trades name only
   * as counterparties are listed with 0 fills and no `firstAt`.
   */
  readonly wallets: string;
  /** One row a market, ordered by `market`: `name`, `event`, `eventName`. */
  readonly markets: string;
  /** One row a token, ordered by `token`: `market`, `name` and `outcome`, each of the last two null if unknown. */
  readonly tokens: string;
}

/** Where the files of a folder of facts are. */
export function factFiles(folder: string): FactFiles {
  const file = (name: string): string => path.join(folder, `${name}.parquet`);
  return { facts: file('facts'), wallets: file('wallets'), markets: file('markets'), tokens: file('tokens') };
}

/** The file of the facts of a bucket, where there are several: files sort by their first wallets. */
export const factPart = (folder: string, firstWallet: number): string =>
  path.join(factFiles(folder).facts, `from-${firstWallet}.parquet`);

/** The files that hold the facts of a range of wallets. */
export function factParts(folder: string, { from, to }: { readonly from: number; readonly to: number }): string[] {
  const parts = parquetFiles(factFiles(folder).facts);
  const firstOf = (part: string | undefined): number => Number(/from-(\d+)\.parquet$/.exec(part ?? '')?.[1]);
  return parts.filter((part, i) => !(firstOf(part) >= to) && !(firstOf(parts[i + 1]) <= from));
}

/** SQL that reads the facts of a folder. */
export const factTable = (folder: string): string => parquetRelation(factFiles(folder).facts);

/** Columns of facts as they are stored. */
export const factColumns: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Number of the wallet' },
  { name: 'seq', role: 'info', description: 'seq of the trade' },
  { name: 'market', role: 'info', description: 'Number of the market' },
  { name: 'token', role: 'info', description: 'Number of the token; -1 if the trade names neither token nor outcome' },
  { name: 'time', role: 'time', unit: 'microseconds', description: 'Since 1970, UTC' },
  { name: 'usd', role: 'info', unit: '1e-6 USD', description: 'Cash paid or received' },
  { name: 'shares', role: 'info', unit: '1e-6 tokens', description: 'Tokens bought or sold' },
  { name: 'fee', role: 'info', unit: '1e-6 USD', description: 'Fee paid; null if unknown' },
  {
    name: 'flags',
    role: 'info',
    description: 'Bit 0: bought; bits 1-2: outcome 0, 1, 2 unknown; bits 3-4: 0 taker, 1 maker, 2 unknown',
  },
  { name: 'counterparty', role: 'info', description: 'Number of the wallet on the other side; null if unknown' },
];

/** Columns of facts as they are read into memory. */
export interface FactColumns {
  /** Number of the wallet. */
  readonly wallet: Int32Array;
  /** `seq` of the trade: unique, and later trades have greater ones. */
  readonly seq: Float64Array;
  readonly market: Int32Array;
  /** Number of the token, or `TOKEN_UNKNOWN`. */
  readonly token: Int32Array;
  /** Microseconds since 1970, UTC. */
  readonly time: Float64Array;
  /** Cash paid or received, whole 1e-6 USD. */
  readonly usd: Float64Array;
  /** Tokens bought or sold, whole 1e-6. */
  readonly shares: Float64Array;
  /** Fee paid, whole 1e-6 USD; NaN if unknown. */
  readonly fee: Float64Array;
  /** Side, outcome and role in one byte: `isBuy`, `outcomeOf`, `roleOf`. */
  readonly flags: Uint8Array;
  /** Number of the wallet on the other side, or `COUNTERPARTY_UNKNOWN`. */
  readonly counterparty: Int32Array;
}

export type FactColumn = keyof FactColumns;

/** Token of a fill that names neither a token nor an outcome. */
export const TOKEN_UNKNOWN = -1;

export const COUNTERPARTY_UNKNOWN = -1;

/** What `outcomeOf` gives where the source does not tell which of the two outcomes a token stands for. */
export const OUTCOME_UNKNOWN = 2;

/** What `roleOf` gives. */
export const ROLE_TAKER = 0;
export const ROLE_MAKER = 1;
export const ROLE_UNKNOWN = 2;

/** 1 for a fill that bought, 0 for one that sold. */
export const isBuy = (flags: number): number => flags & 1;

/** 0, 1 or `OUTCOME_UNKNOWN`. */
export const outcomeOf = (flags: number): number => (flags >> 1) & 3;

/** `ROLE_TAKER`, `ROLE_MAKER` or `ROLE_UNKNOWN`. */
export const roleOf = (flags: number): number => (flags >> 3) & 3;
