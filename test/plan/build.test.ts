import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPlan, type Plan, type PlanSources, replicateSeed, withValue } from '../../src/plan/build.ts';
import type { Task } from '../../src/plan/types.ts';
import { experiment, planOf, scored, sourcesOf, stage, sweptExperiment } from './fake.ts';

/** Best where x is nearest 2. */
const good = scored(({ params }) => -Math.abs(params.x - 2));

function tasksOf(plan: Plan, name: string): Task[] {
  return plan.rounds.flat().filter((task) => task.stage === name);
}

function refits(plan: Plan): { fold: number | undefined; x: number; epochs: number }[] {
  return tasksOf(plan, 'fit')
    .filter((task) => task.coordinates.refit)
    .map((task) => ({ fold: task.coordinates.fold, ...(task.params as { x: number; epochs: number }) }))
    .map(({ fold, x, epochs }) => ({ fold, x, epochs }));
}

describe('fan-out', () => {
  const made = experiment([
    stage('data', 'source'),
    stage('splits', 'folds', { params: { folds: 3 } }),
    stage('fit', 'fit', { from: { data: 'data', splits: 'splits.splits' }, each: 'fold' }),
    stage('next', 'use', { from: { one: 'fit', more: 'data', all: 'fit' }, each: 'fold' }),
    stage('sum', 'compare', { from: { parts: ['data', 'fit'] } }),
  ]);
  const plan = planOf(made);
  const [data] = tasksOf(plan, 'data') as [Task];
  const fits = tasksOf(plan, 'fit');

  it('makes a task a fold, all of different identity', () => {
    expect(fits.map((task) => task.coordinates)).toEqual([{ fold: 0 }, { fold: 1 }, { fold: 2 }]);
    expect(new Set(plan.rounds.flat().map((task) => task.id)).size).toBe(plan.rounds.flat().length);
  });

  it('hands a fold what is of that fold, or of none, and lists whole', () => {
    const next = tasksOf(plan, 'next');
    expect(next).toHaveLength(3);
    for (const [fold, task] of next.entries()) {
      expect(task.inputs['one']).toMatchObject([{ task: fits[fold]?.id, stage: 'fit', coordinates: { fold } }]);
      expect(task.inputs['more']).toMatchObject([{ task: data.id, stage: 'data' }]);
      expect(task.inputs['all']?.map((from) => from.task)).toEqual(fits.map((one) => one.id));
    }
    expect(tasksOf(plan, 'sum')[0]?.inputs['parts']?.map((from) => from.task)).toEqual(
      [data, ...fits].map((task) => task.id),
    );
  });

  it('numbers tasks by their line in their round', () => {
    for (const [round, tasks] of plan.rounds.entries())
      expect(tasks.map((task) => [task.round, task.index])).toEqual(tasks.map((_, index) => [round, index]));
  });

  it('keeps shards apart too', () => {
    const sharded = planOf(
      experiment([
        stage('splits', 'shards', { params: { shards: 2 } }),
        stage('fit', 'fit', { from: { splits: 'splits.splits' }, each: 'shard' }),
        stage('next', 'use', { from: { one: 'fit' }, each: 'shard' }),
      ]),
    );
    const parts = tasksOf(sharded, 'fit');
    expect(tasksOf(sharded, 'next').map((task) => task.inputs['one']?.[0]?.task)).toEqual(parts.map(({ id }) => id));
  });

  it('lets a change reach whatever is downstream of it and nothing else', () => {
    const ids = (text: string): Record<string, string[]> => {
      const changed = made.stages.map((one) => (one.name === 'data' ? { ...one, params: { text } } : one));
      const other = planOf({ ...made, stages: changed });
      return Object.fromEntries(made.stages.map(({ name }) => [name, tasksOf(other, name).map(({ id }) => id)]));
    };
    const [a, b] = [ids('a'), ids('b')];
    expect(a['splits']).toEqual(b['splits']);
    for (const name of ['data', 'fit', 'next', 'sum']) expect(a[name]).not.toEqual(b[name]);
  });

  it('takes files and the hashes of code into identities', () => {
    const withFile = (sha256: string): string =>
      planOf(experiment([stage('a', 'source')]), undefined, { files: () => [{ path: 'f', sha256, bytes: 1 }] })
        .rounds[0]?.[0]?.id as string;
    expect(withFile('1')).not.toBe(withFile('2'));
    const withCode = (code: string): string =>
      planOf(experiment([stage('a', 'source')]), undefined, { numerics: () => code }).rounds[0]?.[0]?.id as string;
    expect(withCode('1')).not.toBe(withCode('2'));
  });
});

describe('a sweep', () => {
  it('has trials times folds times replicates tasks, in that order', () => {
    const plan = planOf(sweptExperiment([1, 2, 3], { replicates: 2 }));
    const trials = tasksOf(plan, 'fit');
    expect(trials).toHaveLength(3 * 2 * 2);
    expect(trials.slice(0, 5).map((task) => task.coordinates)).toEqual([
      { fold: 0, trial: 0, replicate: 0 },
      { fold: 1, trial: 0, replicate: 0 },
      { fold: 0, trial: 0, replicate: 1 },
      { fold: 1, trial: 0, replicate: 1 },
      { fold: 0, trial: 1, replicate: 0 },
    ]);
    expect(trials.map((task) => (task.params as { x: number }).x)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it('gives replicates seeds of their own, the first that of the experiment', () => {
    const seeds = tasksOf(planOf(sweptExperiment([1], { replicates: 3, seed: 11 })), 'fit').map((task) => task.seed);
    expect(seeds.slice(0, 2)).toEqual([11, 11]);
    expect(new Set(seeds).size).toBe(3);
    expect(seeds).toEqual([0, 0, 1, 1, 2, 2].map((replicate) => replicateSeed(11, replicate)));
    expect(replicateSeed(11, 1)).not.toBe(replicateSeed(12, 1));
  });

  it('knows no later round until every trial has ended', () => {
    const made = sweptExperiment([1, 2, 3]);
    const all = tasksOf(planOf(made), 'fit');
    expect(planOf(made).rounds).toHaveLength(2);
    for (const late of all) {
      const plan = planOf(
        made,
        scored((task) => (task.id === late.id ? undefined : 1)),
      );
      expect(plan.rounds).toHaveLength(2);
    }
    expect(planOf(made, good).rounds).toHaveLength(4);
  });

  it('says its whole shape before anything has run, and keeps to it', () => {
    for (const folds of [1, 2, 5]) {
      const made = sweptExperiment([1, 2, 3], { replicates: 2, folds });
      const before = planOf(made);
      const after = planOf(made, good);
      expect(after.shape).toEqual(before.shape);
      expect(after.rounds.map((tasks) => tasks.length)).toEqual(after.shape.rounds.map((round) => round.tasks));
      for (const [round, { stages }] of after.shape.rounds.entries())
        for (const { stage: name, tasks } of stages)
          expect(after.rounds[round]?.filter((task) => task.stage === name)).toHaveLength(tasks);
      // Rounds that were known do not change.
      expect(after.rounds.slice(0, before.rounds.length)).toEqual(before.rounds);
    }
  });

  it('trains the winner again for consumers, who never see a trial', () => {
    const plan = planOf(sweptExperiment([1, 2, 3]), good);
    expect(refits(plan)).toEqual([
      { fold: 0, x: 2, epochs: 10 },
      { fold: 1, x: 2, epochs: 10 },
    ]);
    const winners = tasksOf(plan, 'fit').filter((task) => task.coordinates.refit);
    const [answer] = tasksOf(plan, 'answer') as [Task];
    expect(answer.inputs['parts']?.slice(1).map((from) => from.task)).toEqual(winners.map(({ id }) => id));
  });

  it('hands refit the metrics of the winner in its fold, one a replicate', () => {
    const best = scored(
      ({ params }) => params.x,
      ({ coordinates, params }) => 100 * params.x + 10 * (coordinates.fold ?? 0) + 2 * (coordinates.replicate ?? 0),
    );
    expect(refits(planOf(sweptExperiment([1, 2], { replicates: 2 }), best))).toEqual([
      { fold: 0, x: 2, epochs: 201 },
      { fold: 1, x: 2, epochs: 211 },
    ]);
  });

  it('chooses for each fold by the validation of that fold alone', () => {
    const made = sweptExperiment([1, 2, 3], { folds: 3 });
    const score = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 });
    const withScores = (scores: readonly number[]): PlanSources['metrics'] =>
      scored(
        ({ coordinates: { fold = 0, trial = 0 } }) => scores[3 * fold + trial],
        ({ coordinates: { fold = 0, trial = 0 } }) => Math.round(1000 * (scores[3 * fold + trial] as number)),
      );
    fc.assert(
      fc.property(score, score, fc.nat(2), (scores, others, fold) => {
        const mixed = scores.map((value, i) => (Math.floor(i / 3) === fold ? value : (others[i] as number)));
        const own = (values: readonly number[]): unknown =>
          refits(planOf(made, withScores(values))).find((one) => one.fold === fold);
        expect(own(mixed)).toEqual(own(scores));
      }),
      { numRuns: 50 },
    );
    // And the folds may well differ.
    const scores = [3, 2, 1, 1, 3, 2, 1, 2, 3];
    expect(refits(planOf(made, withScores(scores))).map(({ x }) => x)).toEqual([1, 2, 3]);
  });

  it('gives ties to the earlier trial', () => {
    const same = scored(() => 0.5);
    expect(refits(planOf(sweptExperiment([4, 2, 3]), same)).map(({ x }) => x)).toEqual([4, 4]);
    expect(refits(planOf(sweptExperiment([4, 2, 3], { goal: 'minimize' }), same)).map(({ x }) => x)).toEqual([4, 4]);
  });

  it('minimizes where that is the goal', () => {
    const loss = scored(({ params }) => Math.abs(params.x - 2));
    expect(refits(planOf(sweptExperiment([1, 2, 3], { goal: 'minimize' }), loss)).map(({ x }) => x)).toEqual([2, 2]);
    expect(refits(planOf(sweptExperiment([1, 2, 5]), loss)).map(({ x }) => x)).toEqual([5, 5]);
  });

  it('lets no failed trial win, were it the best in its other replicate', () => {
    const metrics = scored(({ params, coordinates }) =>
      params.x === 3 ? (coordinates.replicate === 1 ? null : 100) : params.x,
    );
    expect(refits(planOf(sweptExperiment([1, 2, 3], { replicates: 2 }), metrics)).map(({ x }) => x)).toEqual([2, 2]);
  });

  it('runs every trial through the schema of the stage', () => {
    expect(() => planOf(sweptExperiment(['three' as never]))).toThrow(/number/);
  });

  it('is the same twice, for any scores', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ noNaN: true })), fc.integer(), (stream, seed) => {
        const known = new Map<string, number>();
        const metrics = scored((task) => {
          const value = known.get(task.id) ?? (stream.next().value as number);
          known.set(task.id, value);
          return value;
        });
        const made = sweptExperiment([1, 2, 3], { replicates: 2, seed });
        expect(planOf(made, metrics)).toEqual(planOf(made, metrics));
      }),
      { numRuns: 30 },
    );
  });

  it('hands on the plan of two equal stages as one task with two names', () => {
    const made = experiment([
      stage('a', 'source'),
      stage('b', 'source'),
      stage('sum', 'compare', { from: { parts: ['a', 'b'] } }),
    ]);
    const [a, b] = planOf(made).rounds[0] as [Task, Task];
    expect(a.id).toBe(b.id);
    expect([a.stage, b.stage]).toEqual(['a', 'b']);
  });
});

describe('a sweep without a winner', () => {
  const made = sweptExperiment([1, 2]);

  it.each([
    ['every trial failed', scored(() => null), 'task', 'every trial failed'],
    [
      'no trial reports the metric',
      (task: Task) => ({ scalars: task.use === 'fit' ? { other: 1, more: 2 } : {} }),
      'experiment',
      'no trial reports "validation.score"',
    ],
    [
      'the metric is undefined in every trial',
      (task: Task) => ({ scalars: task.use === 'fit' ? { 'validation.score': null } : {} }),
      'task',
      '"validation.score" is undefined in every trial',
    ],
  ] as const)('says so where %s, and keeps the rounds that are known', (_what, metrics, code, message) => {
    const plan = buildPlan(sourcesOf(made, metrics as PlanSources['metrics']));
    expect(plan.problem).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(plan.rounds).toEqual(planOf(made).rounds);
    expect(plan.shape).toEqual(planOf(made).shape);
  });

  it('names the metrics that there are', () => {
    const plan = planOf(made, () => ({ scalars: { auc: 1, loss: 2 } }));
    expect(plan.problem?.hint).toBe('it reports auc, loss');
  });

  it('has no winner in one fold of two', () => {
    const plan = planOf(
      made,
      scored(({ coordinates, params }) => (coordinates.fold === 1 ? null : params.x)),
    );
    expect(plan.problem?.message).toMatch(/every trial failed.*fold 1|fold 1.*every trial failed/);
  });

  it('is no problem while a trial is out', () => {
    const plan = planOf(
      made,
      scored(({ params }) => (params.x === 1 ? null : undefined)),
    );
    expect(plan.problem).toBeUndefined();
    expect(plan.rounds).toHaveLength(2);
  });
});

describe('isolation', () => {
  it('may follow the engine that was taken, and stands in the task as a word', () => {
    const made = experiment([stage('data', 'source')]);
    const isolationWith = (engine: string | null): unknown => {
      const sources = sourcesOf(made);
      const nodes = sources.nodes.map((node) => ({
        ...node,
        engine,
        definition: {
          ...node.definition,
          isolation: (taken: string | null) => (taken === 'native' ? ('process' as const) : ('thread' as const)),
        },
      }));
      return buildPlan({ ...sources, nodes }).rounds[0]?.[0]?.isolation;
    };
    expect(isolationWith('native')).toBe('process');
    expect(isolationWith('wasm')).toBe('thread');
    expect(isolationWith(null)).toBe('thread');
    expect(tasksOf(planOf(made), 'data')[0]?.isolation).toBe('thread');
  });
});

describe('withValue', () => {
  it('sets by path in a copy, in objects, lists and what is not there yet', () => {
    const params = { a: { b: 1, c: 2 }, list: [1, { d: 2 }] };
    expect(withValue(params, 'a.b', 9)).toEqual({ a: { b: 9, c: 2 }, list: [1, { d: 2 }] });
    expect(withValue(params, 'list.1.d', 9)).toEqual({ a: { b: 1, c: 2 }, list: [1, { d: 9 }] });
    expect(withValue(params, 'list.0', 9)).toEqual({ a: { b: 1, c: 2 }, list: [9, { d: 2 }] });
    expect(withValue(params, 'x.y', 9)).toMatchObject({ x: { y: 9 } });
    expect(params).toEqual({ a: { b: 1, c: 2 }, list: [1, { d: 2 }] });
  });
});
