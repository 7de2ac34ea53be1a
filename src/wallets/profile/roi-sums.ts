/** The mean ROI of the original definitions: every wallet counts alike, so it is known only after the last one. */

/** By number of the date: rows, and the sum of their roiPct in 1e-6 in two exact parts, 2^26 times `high` plus `low`. */
export interface RoiSums {
  readonly rows: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
}

const UNIT = 2 ** 26;

export const noRoiSums = (dates: number): RoiSums => ({
  rows: new Float64Array(dates),
  high: new Float64Array(dates),
  low: new Float64Array(dates),
});

/** roiPct of what was bought and sold in a window, both in 1e-6 USD. */
export const roiPctOf = (bought: number, sold: number): number => (bought > 0 ? (100 * (sold - bought)) / bought : 0);

/** Counts a row. */
export function addRoi(sums: RoiSums, date: number, roiPct: number): void {
  const roi = Math.round(roiPct * 1e6);
  const high = Math.floor(roi / UNIT);
  sums.rows[date] = (sums.rows[date] as number) + 1;
  sums.high[date] = (sums.high[date] as number) + high;
  sums.low[date] = (sums.low[date] as number) + (roi - high * UNIT);
}

/** Mean roiPct by date over the wallets of all buckets, NaN without rows. The sums are exact: their order changes nothing. */
export function meanRoi(buckets: readonly RoiSums[], dates: number): Float64Array {
  const total = noRoiSums(dates);
  for (const sums of buckets)
    for (const key of ['rows', 'high', 'low'] as const)
      sums[key].forEach((value, q) => {
        total[key][q] = (total[key][q] as number) + value;
      });
  return total.rows.map((n, q) =>
    n > 0 ? ((total.high[q] as number) * UNIT + (total.low[q] as number)) / 1e6 / n : Number.NaN,
  );
}
