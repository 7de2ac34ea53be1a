/**
 * Split conformal prediction: intervals whose width is read off the errors on rows that did not train.
 *
 * If test rows are exchangeable with validation rows, an interval holds at least the promised share of outcomes, however
 * bad the model. Rows in time are not exchangeable: the promise is then an assumption, and what was measured stands
 * beside it. Sources: Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World; Lei et al. (2018),
 * JASA 113 (scaled errors, section 5.2).
 */

/**
 * The ceil((n + 1) confidence)-th smallest error: the error that a further row stays within with at least that
 * probability. Infinity where there are too few rows to promise it.
 */
export function conformalQuantile(errors: ArrayLike<number>, confidence: number): number {
  const sorted = Float64Array.from(errors).sort();
  // What (n + 1) x confidence is but for rounding must not cost a row.
  const rank = Math.ceil((sorted.length + 1) * confidence - 1e-9);
  return rank > sorted.length ? Infinity : (sorted[Math.max(0, rank - 1)] as number);
}

/** A row as conformal intervals see it. */
interface Predicted {
  readonly predicted: number;
  /** Standard deviation among the members of an ensemble. */
  readonly spread: number | null;
}

/** Half the width of the interval around each prediction. */
export type HalfWidth = (row: Predicted) => number;

/**
 * Interval half-widths fitted on validation rows.
 * @param scaled wider where an ensemble disagrees: errors are measured in (spread + a tenth of the median spread)
 */
export function fitConformal(
  validation: readonly (Predicted & { readonly actual: number })[],
  confidence: number,
  scaled: boolean,
): HalfWidth {
  const scaleOf = scaled ? spreadScale(validation) : () => 1;
  const width = conformalQuantile(
    validation.map((row) => Math.abs(row.actual - row.predicted) / scaleOf(row)),
    confidence,
  );
  return (row) => width * scaleOf(row);
}

/** A part that does not vanish where members happen to agree keeps intervals from closing. */
function spreadScale(validation: readonly Predicted[]): (row: Predicted) => number {
  const spreads = validation.map(({ spread }) => spread ?? 0).sort((a, b) => a - b);
  const median = spreads[spreads.length >> 1] ?? 0;
  return ({ spread }) => (median > 0 ? (spread ?? 0) + median / 10 : 1);
}
