/** Markers, reasons why a task runs, and what has changed since the last run. */
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../src/experiment/types.ts';
import type { Task } from '../../src/plan/types.ts';
import { describeChanges } from '../../src/run/changes.ts';
import type { Session } from '../../src/run/session.ts';
import { readMarker, readStates, writeMarker } from '../../src/run/states.ts';
import { previousManifests, whyItRuns } from '../../src/run/why.ts';
import { runPaths } from '../../src/store/layout.ts';
import { experiment, planOf, stage } from '../plan/fake.ts';
import { temporaryFolder } from '../support/stage.ts';

describe('markers', () => {
  it('are one file a task; a new state takes the place of the old', async () => {
    const paths = runPaths(await temporaryFolder());
    const place = { round: 2, index: 17 };
    expect(await readStates(paths, 2)).toEqual(new Map());
    const error = { code: 'task', message: 'no' } as const;
    await writeMarker(paths, place, { state: 'failed', task: 'a', seconds: 2, error }, 'pending');
    expect(await readStates(paths, 2)).toEqual(new Map([[17, 'failed']]));
    expect(await readMarker(paths, place, 'failed')).toEqual({ state: 'failed', task: 'a', seconds: 2, error });
    await writeMarker(paths, place, { state: 'done', task: 'a' }, 'failed');
    expect(await readdir(paths.states(2))).toEqual(['17.done']);
    expect(await readMarker(paths, place, 'failed')).toBeUndefined();
  });

  it('done wins over what an older run left; temporaries and other files are no markers', async () => {
    const paths = runPaths(await temporaryFolder());
    await mkdir(paths.states(0), { recursive: true });
    for (const name of ['1.done', '1.failed', '2.failed', '2.done', '3.done.77.ab.tmp', '4.note', 'readme'])
      await writeFile(path.join(paths.states(0), name), '{}');
    expect(await readStates(paths, 0)).toEqual(
      new Map([
        [1, 'done'],
        [2, 'done'],
      ]),
    );
    await writeFile(paths.state(0, 1, 'done'), 'damaged');
    expect(await readMarker(paths, { round: 0, index: 1 }, 'done')).toBeUndefined();
  });
});

const made = experiment([
  stage('a', 'source', { params: { value: 1 } }),
  stage('b', 'compare', { from: { parts: 'a' } }),
]);
const [first, second] = planOf(made).rounds.flat() as [Task, Task];

describe('why a task runs', () => {
  const place = (task: Task): string => `["${task.stage}",{}]`;
  const previous = new Map([first, second].map((task) => [place(task), task]));
  const why = (change: Partial<Task>, task = first, done: readonly string[] = []): string =>
    whyItRuns({ ...task, id: 'new', ...change }, previous, (id) => done.includes(id));

  it.each<[string, Partial<Task>, string]>([
    ['is new', { stage: 'c' }, 'new'],
    ['is not done', { id: first.id }, 'not done yet'],
    ['is another stage', { use: 'folds' }, 'now folds, was source'],
    ['has another parameter', { params: { value: 2 } }, 'changed value'],
    ['has many', { params: { v: 1, w: 1, x: 1, y: 1 } }, 'changed v, value, w, ...'],
    ['has another seed', { seed: 8 }, 'changed seed'],
    ['has another engine', { engine: 'cuda' }, 'engine cuda, was null'],
    ['has another version of it', { engineVersion: '3.1' }, 'source 3.1, was null'],
    ['reads another file', { files: [{ path: 'f', sha256: 'x', bytes: 1 }] }, 'changed data file'],
    ['has another version', { version: 2 }, 'version 2 of source'],
    ['has other code', { numerics: 'other' }, 'changed code of source'],
  ])('which %s', (_what, change, reason) => {
    expect(why(change)).toBe(`to run: ${reason}`);
  });

  it('which reads something else: what of it is not done', () => {
    expect(why({}, second)).toBe('to run: changed input a');
    expect(why({}, second, [first.id])).toBe('to run: changed input');
  });

  it('compares with the run that latest points to, as far as its plan was known', async () => {
    const folder = await temporaryFolder();
    const session = { run: path.join(folder, '2') } as Session;
    expect((await previousManifests(session)).size).toBe(0);
    const paths = runPaths(path.join(folder, '1'));
    await mkdir(path.dirname(paths.shape), { recursive: true });
    await writeFile(paths.round(0), `${JSON.stringify(first)}\n`);
    await symlink('1', path.join(folder, 'latest'));
    expect(await previousManifests(session)).toEqual(new Map([[place(first), first]]));
  });
});

describe('what has changed', () => {
  const facts = { numerics: { source: 'abc' }, files: [{ path: 'f.csv', sha256: 'a'.repeat(64) }] };

  async function lines(
    now: Experiment,
    changes: Partial<typeof facts> = {},
    options: { last?: string } = {},
  ): Promise<string[]> {
    const folder = await temporaryFolder();
    const save = async (id: string, content: unknown): Promise<void> => {
      await mkdir(path.join(folder, id), { recursive: true });
      await writeFile(runPaths(path.join(folder, id)).experiment, JSON.stringify(content));
    };
    await save('before', { experiment: made, facts });
    await symlink(options.last ?? 'before', path.join(folder, 'latest'));
    const session = {
      id: 'now',
      run: path.join(folder, 'now'),
      paths: runPaths(path.join(folder, 'now')),
      plan: () => save('now', { experiment: now, facts: { ...facts, ...changes } }),
    } as unknown as Session;
    return describeChanges(session);
  }

  it('is nothing where nothing has, or there was no run before', async () => {
    expect(await lines(made)).toEqual([]);
    expect(await lines({ ...made, seed: 8 }, {}, { last: 'now' })).toEqual([]);
    expect(await lines({ ...made, seed: 8 }, {}, { last: 'gone' })).toEqual([]);
  });

  it('is said value by value, with code and data', async () => {
    const other = experiment(
      [stage('a', 'source', { params: { value: 2, more: 'x' } }), stage('b', 'compare', { from: { parts: 'a' } })],
      { seed: 8, title: 'a title is no change' },
    );
    expect(
      await lines(other, { numerics: { source: 'abd' }, files: [{ path: 'f.csv', sha256: 'b'.repeat(64) }] }),
    ).toEqual([
      'changed since run before, which stays:',
      '  a.more: absent -> x',
      '  a.value: 1 -> 2',
      '  seed: 7 -> 8',
      '  code of source: abc -> abd',
      `  content of f.csv: ${'a'.repeat(10)} -> ${'b'.repeat(10)}`,
    ]);
  });

  it('is cut where there is much', async () => {
    const params = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`p${i}`, i]));
    const found = await lines(experiment([stage('a', 'source', { params: { value: 1, ...params } })]));
    expect(found).toHaveLength(10);
    expect(found.at(-1)).toMatch(/^ {2}and \d+ more$/);
  });
});
