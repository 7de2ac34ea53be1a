/**
 * Combinatorial purged cross-validation: the dates are cut into N blocks, every choice of k of them is tested once, and
 * the tests are strung together into whole paths through time, each of models that never saw what they predict.
 * Source: Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12.
 */
import { FathomError } from '../errors.ts';

/** The ways to choose `k` of the numbers 0 to n − 1, each ascending, in lexicographic order. */
export function combinations(n: number, k: number): number[][] {
  if (!(k >= 1 && k < n))
    throw new FathomError('experiment', `${k} test blocks of ${n}: at least one block must test and one must train`, {
      hint: 'lower `testBlocks` or raise `folds`',
    });
  const all: number[][] = [];
  const choose = (chosen: readonly number[], from: number): void => {
    if (chosen.length === k) all.push([...chosen]);
    else for (let next = from; next <= n - (k - chosen.length); next++) choose([...chosen, next], next + 1);
  };
  choose([], 0);
  return all;
}

/** How many ways there are, without listing them. */
export function countCombinations(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= k; i++) count = (count * (n - k + i)) / i;
  return Math.round(count);
}

/**
 * Paths through all blocks: `paths[p][b]` is the fold whose predictions of block b belong to path p. Path p takes the
 * p-th fold that tests each block, so every tested block of every fold stands in exactly one of the C(n − 1, k − 1) paths.
 */
export function pathsOf(blocks: number, testBlocks: number): number[][] {
  const folds = combinations(blocks, testBlocks);
  const testing = Array.from({ length: blocks }, (_, b) =>
    folds.flatMap((tested, f) => (tested.includes(b) ? [f] : [])),
  );
  return Array.from({ length: countCombinations(blocks - 1, testBlocks - 1) }, (_, p) =>
    testing.map((list) => list[p] as number),
  );
}

/** Block of each time, given ascending boundaries of which the last is infinite. */
export function blocksOfTime(time: ArrayLike<number>, boundaries: readonly number[]): Int32Array {
  return Int32Array.from(time, (t) => {
    let block = 0;
    while (t >= (boundaries[block + 1] as number)) block++;
    return block;
  });
}
