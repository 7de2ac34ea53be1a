/** What was found beside what was planted, where a world's truth is known. */

import { FathomError } from '../../errors.ts';
import { type Proportion, wilson } from '../../evaluation/proportion.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import type { Discovery } from './discover.ts';
import { type PredictedPower, predictPower } from './power.ts';
import type { Correction } from './words.ts';

/** Wallets by number (table `wallet_ids`) whose planted edge is above zero; `makeBets` comes first. */
export async function skilledWallets(duck: Pick<Duck, 'rows'>, truth: string): Promise<ReadonlySet<number>> {
  const [odd] = await duck.rows<{ wallet: string }>(
    `SELECT wallet FROM read_parquet(${quote(truth)}) GROUP BY wallet HAVING count(*) > 1 OR bool_or("edge" IS NULL)
     ORDER BY wallet LIMIT 1`,
  );
  if (odd !== undefined) throw new FathomError('data', `${truth}: wallet "${odd.wallet}" has no one edge`);
  const rows = await duck.rows<{ id: number }>(
    `SELECT w.id::DOUBLE AS id FROM wallet_ids w JOIN read_parquet(${quote(truth)}) t USING (wallet)
     WHERE t."edge" > 0 ORDER BY w.id`,
  );
  return new Set(rows.map(({ id }) => id));
}

export interface Against {
  /** Tested wallets with a planted edge above zero. */
  readonly skilled: number;
  readonly found: number;
  readonly right: number;
  /** Share of those found that are skilled, and of the skilled that are found; NaN where there is none. */
  readonly precision: Proportion;
  readonly recall: Proportion;
  /** Undefined without skilled wallets, or where bets have weights. */
  readonly predicted: PredictedPower | undefined;
}

export function compareWithPlanted(
  { wallets, powers }: Discovery,
  skilled: ReadonlySet<number>,
  rate: number,
  correction: Correction,
): Against {
  const tested = wallets.filter(({ wallet }) => skilled.has(wallet)).length;
  const found = wallets.filter((wallet) => wallet.found);
  const right = found.filter(({ wallet }) => skilled.has(wallet)).length;
  let divisor = 1;
  if (correction === 'benjamini-yekutieli') for (let k = 2; k <= wallets.length; k++) divisor += 1 / k;
  return {
    skilled: tested,
    found: found.length,
    right,
    precision: wilson(right, found.length),
    recall: wilson(right, tested),
    predicted: powers.size === 0 ? undefined : predictPower([...powers.values()], wallets.length, rate, divisor),
  };
}
