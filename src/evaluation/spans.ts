/**
 * Label spans and what they meet. A row knows the world up to its time and is judged by what happens until its label
 * end, so it carries information of the whole span [time, labelEnd]; both ends belong to it.
 *
 * Source: Lopez de Prado, Advances in Financial Machine Learning (2018), section 7.4, snippets 7.1 and 7.2.
 */

/** From the first to the last moment, both inclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** True if two spans share a moment. A single shared moment counts. */
export function meets(a: Span, b: Span): boolean {
  return a.from <= b.to && b.from <= a.to;
}

/** Sorted spans with no moment in common that cover the same moments. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** True if a span meets one of several merged spans: a binary search. */
export function meetsAny(span: Span, merged: readonly Span[]): boolean {
  let low = 0;
  let high = merged.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((merged[middle] as Span).to < span.from) low = middle + 1;
    else high = middle;
  }
  const next = merged[low];
  return next !== undefined && next.from <= span.to;
}

/** The span from the first start to the last end of some rows; undefined for none. */
export function hull(spans: readonly Span[]): Span | undefined {
  const first = spans[0];
  if (first === undefined) return undefined;
  let { from, to } = first;
  for (const span of spans) {
    from = Math.min(from, span.from);
    to = Math.max(to, span.to);
  }
  return { from, to };
}

/**
 * True if a row may not train beside held-out blocks: its span meets a block, or it begins within the embargo after
 * one. The embargo is one-sided: what comes before a block cannot have learned from it.
 * @param embargo same unit as the spans; 0 for none
 */
export function isPurged(row: Span, blocks: readonly Span[], embargo: number): boolean {
  for (const block of blocks) {
    if (meets(row, block)) return true;
    if (embargo > 0 && row.from > block.to && row.from <= block.to + embargo) return true;
  }
  return false;
}
