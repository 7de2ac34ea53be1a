/** Did-you-mean. */

/** The candidate closest to what was typed, or undefined if none is close enough to be a slip of the keys. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    if (candidate === typed) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    const limit = Math.max(1, Math.floor(Math.max(typed.length, candidate.length) / 3));
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** "did you mean X?" or, where nothing is close, the possible names, or undefined where there are too many to help. */
export function didYouMean(typed: string, candidates: Iterable<string>, label = 'known'): string | undefined {
  const names = [...candidates];
  const guess = nearest(typed, names);
  if (guess !== undefined) return `did you mean ${guess}?`;
  if (names.length === 0 || names.length > 40) return undefined;
  return `${label}: ${names.join(', ')}`;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) from one text to another. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] as number) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
