/** An experiment of the plugin's small stages: a sweep over folds and replicates, a refit, a stage that is not there. */
export const tiny = `name: tiny
seed: 7
stages:
  a: { use: test.number, value: 2 }
  b: { use: test.number, value: 3 }
  folds: { use: test.folds, folds: 2 }
  fit: { use: test.fit, from: { splits: folds }, each: fold, steps: 2 }
  sum: { use: test.gather, from: { parts: [a, b, fit] } }
  need: { use: test.needs, whenMissing: skip }
  native: { use: test.die, how: none }
sweep:
  stage: fit
  metric: { name: validation.score, goal: maximize }
  space: { x: { choice: [1, 2, 3, 4] } }
  sampler: { use: grid }
  replicates: 2
`;
