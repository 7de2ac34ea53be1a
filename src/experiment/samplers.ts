/** The trials of a sweep. Pure: equal arguments give equal trials on every machine. */
import { FathomError } from '../errors.ts';
import { makeRng } from '../random/rng.ts';
import { mostDimensions, sobolPoints } from './sobol.ts';
import { gridValues, valueAt } from './space.ts';
import type { Sampler, SpaceAxis, Trial } from './types.ts';

/**
 * All trials of a sweep, in order.
 *
 * grid: every combination, the last axis changing fastest. random: independent draws, one stream of random numbers an
 * axis, so that adding an axis changes no other. sobol: a scrambled Sobol sequence. Of random and sobol the first n
 * trials are the same whatever the number of trials.
 */
export function sampleTrials(space: readonly SpaceAxis[], sampler: Sampler, seed: number): Trial[] {
  switch (sampler.use) {
    case 'grid':
      return grid(space);
    case 'random': {
      const streams = space.map((axis) => makeRng(seed, 'sweep.random', axis.path));
      return trialsOf(space, sampler.trials, (axis) => (streams[axis] as { uniform(): number }).uniform());
    }
    case 'sobol': {
      if (space.length > mostDimensions) {
        throw new FathomError(
          'experiment',
          `sobol has ${mostDimensions} dimensions, and the space has ${space.length}`,
        );
      }
      const points = sobolPoints(space.length, sampler.trials, seed);
      return trialsOf(space, sampler.trials, (axis, index) => points[axis]?.[index] as number);
    }
  }
}

function trialsOf(
  space: readonly SpaceAxis[],
  count: number,
  quantile: (axis: number, index: number) => number,
): Trial[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    params: Object.fromEntries(
      space.map(({ path, distribution }, axis) => [path, valueAt(distribution, quantile(axis, index))]),
    ),
  }));
}

function grid(space: readonly SpaceAxis[]): Trial[] {
  const axes = space.map(({ path, distribution }) => {
    const values = gridValues(distribution);
    if (values === undefined) throw new FathomError('experiment', `sweep.space.${path}: a grid needs steps`);
    return values;
  });
  const total = axes.reduce((product, values) => product * values.length, 1);
  return Array.from({ length: total }, (_, index) => {
    const params: [string, unknown][] = [];
    let rest = index;
    for (let axis = space.length - 1; axis >= 0; axis--) {
      const values = axes[axis] as readonly unknown[];
      params.unshift([(space[axis] as SpaceAxis).path, values[rest % values.length]]);
      rest = Math.floor(rest / values.length);
    }
    return { index, params: Object.fromEntries(params) };
  });
}
