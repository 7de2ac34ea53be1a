/** What trades must be before anything is computed from them. */
import { FathomError } from '../errors.ts';
import type { Duck } from '../tables/duck.ts';

/** Extent of the trades. Times in microseconds since 1970. */
export interface Extent {
  readonly rows: number;
  readonly first: number;
  readonly last: number;
}

/** Up to here whole 1e-6 are whole numbers in a double, too: (2^53 - 1) / 1e6, rounded down. */
export const EXACT_DOLLARS = 9_007_199_254;

/** Conditions that no trade may meet, and what is said of those which do. */
const faults: readonly { readonly when: string; readonly words: string }[] = [
  {
    when: '"time" IS NULL OR usd IS NULL OR shares IS NULL OR side IS NULL',
    words: 'lack a value in time, side, usd or shares',
  },
  { when: "side NOT IN ('BUY', 'SELL')", words: 'have a side that is neither BUY nor SELL' },
  { when: 'outcomeIndex NOT IN (0, 1)', words: 'have an outcomeIndex that is neither 0 nor 1' },
  { when: "role NOT IN ('maker', 'taker')", words: 'have a role that is neither maker nor taker' },
  { when: 'usd < 0 OR shares < 0', words: 'have a negative amount' },
  {
    when: `greatest(usd, shares, abs(fee)) > ${EXACT_DOLLARS}`,
    words: `have an amount beyond ${EXACT_DOLLARS} USD or tokens`,
  },
];

/** The same of a trade and the one before it in the file. */
const disorders: typeof faults = [
  { when: 'seq IS NULL', words: 'lack a seq' },
  { when: 'seq = before', words: 'repeat a seq' },
  { when: 'seq < before', words: 'stand behind one with a greater seq' },
  {
    when: 'seq > before AND "time" < timeBefore',
    words: 'are earlier than the one before them: seq does not follow time',
  },
];

/** The same of what a trade names. Reading names takes longer than all else, so who reads them anyway looks for these. */
const nameless: typeof faults = [
  {
    when: 'wallet IS NULL OR market IS NULL OR event IS NULL',
    words: 'lack a value in wallet, market or event',
  },
];

/** SQL that tells whether trades `t` have a fault of their own, or lack a seq. */
export function faultSql(trade: string): string {
  const all = [...faults.map(({ when }) => when), 'seq IS NULL'].map((when) => `(${when})`).join(' OR ');
  const columns = /"time"|\b(?:usd|shares|side|outcomeIndex|role|fee|seq)\b/g;
  return `coalesce(${all.replace(columns, (column) => `${trade}.${column}`)}, false)`;
}

const counts = (list: typeof faults): string =>
  list.map(({ when }, index) => `count(*) FILTER (${when})::DOUBLE AS fault${index}`).join(', ');

function stopAtFirst(list: typeof faults, found: Record<string, number | null> | undefined, name: string): void {
  list.forEach(({ words }, index) => {
    const count = found?.[`fault${index}`] ?? 0;
    if (count > 0)
      throw new FathomError('data', `${name}: ${count} trades ${words}`, {
        hint: 'the stage that made the trades has to reject or mend such rows',
      });
  });
}

/**
 * Checks all of the trades but their names, and stops with one error that counts the first kind of fault there is.
 *
 * @param relation SQL that reads the trades in the order of their file
 * @param name what errors call them
 */
export async function checkTrades(duck: Pick<Duck, 'rows'>, relation: string, name: string): Promise<Extent> {
  const [found] = await duck.rows<Record<string, number | null>>(
    `SELECT count(*)::DOUBLE AS "rows", epoch_us(min("time"))::DOUBLE AS "first", epoch_us(max("time"))::DOUBLE AS "last",
       ${counts(faults)} FROM ${relation}`,
  );
  stopAtFirst(faults, found, name);
  // LAG over an empty window is computed as rows stream by: nothing is sorted or kept.
  const [order] = await duck.rows<Record<string, number | null>>(
    `SELECT ${counts(disorders)}
     FROM (SELECT seq, "time", lag(seq) OVER () AS before, lag("time") OVER () AS timeBefore FROM ${relation})`,
  );
  stopAtFirst(disorders, order, name);
  const { rows, first, last } = found ?? {};
  if (rows == null || first == null || last == null) throw new FathomError('data', `${name}: there are no trades`);
  return { rows, first, last };
}

/** Stops with an error that counts the trades which lack a name, where it is known that there are some. */
export async function refuseNameless(duck: Pick<Duck, 'rows'>, relation: string, name: string): Promise<void> {
  const [found] = await duck.rows<Record<string, number | null>>(`SELECT ${counts(nameless)} FROM ${relation}`);
  stopAtFirst(nameless, found, name);
}
