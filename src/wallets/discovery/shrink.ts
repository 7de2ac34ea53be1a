/** How much of an estimate to believe when most wallets have no skill. */

export interface Shrunk {
  readonly value: number;
  readonly standardError: number;
}

/**
 * Variance of true edges around zero: the tau^2 at which sum(e^2 / (tau^2 + se^2)) equals the number of wallets, 0 if
 * noise alone explains them. Source: Paule and Mandel (1982), with the mean fixed at zero, where the null has it.
 */
export function varianceOfEdges(edges: ArrayLike<number>, errors: ArrayLike<number>): number {
  const n = edges.length;
  const spread = (tau2: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (edges[i] as number) ** 2 / (tau2 + (errors[i] as number) ** 2);
    return sum;
  };
  if (n === 0 || spread(0) <= n) return 0;
  let [low, high] = [0, 1];
  // An edge is at most one dollar, so its variance is too.
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    if (spread(middle) > n) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Mean and standard deviation of the true edge given the estimate: normal, with variance tau^2 around zero. */
export function shrink(edge: number, standardError: number, tau2: number): Shrunk {
  const kept = tau2 / (tau2 + standardError * standardError);
  return { value: kept * edge, standardError: Math.sqrt(kept) * standardError };
}
