import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Identified, identityOf } from '../../src/plan/identity.ts';
import type { TaskInput } from '../../src/plan/types.ts';

const read: TaskInput = { task: 'a'.repeat(32), stage: 'data', coordinates: {}, output: 'metrics', kind: 'metrics' };

const task: Identified = {
  use: 'train.mtl',
  version: 3,
  numerics: 'abc',
  params: { epochs: 20, hidden: [32, 16], nested: { rate: 0.1 } },
  engine: 'wasm',
  engineVersion: '1.2',
  seed: 42,
  coordinates: { fold: 1 },
  inputs: { features: [read] },
  files: [{ path: 'data/a.csv', sha256: 'f'.repeat(64), bytes: 12 }],
};

const before = identityOf(task);

describe('the identity of a task', () => {
  it('is the beginning of the SHA-256 of canonical JSON, the same on every machine', () => {
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    // Computed by Python's json and hashlib. Whoever changes it makes every stored result unknown.
    expect(before).toBe('68ad2f7eb3c1bdb68c3a8d1a2f6c248d');
  });

  const decisive: [string, Partial<Identified>][] = [
    ['the stage', { use: 'train.boosting' }],
    ['its version', { version: 4 }],
    ['its code', { numerics: 'abd' }],
    ['a parameter', { params: { ...(task.params as object), epochs: 21 } }],
    ['a nested parameter', { params: { ...(task.params as object), nested: { rate: 0.2 } } }],
    ['the order of a list', { params: { ...(task.params as object), hidden: [16, 32] } }],
    ['a parameter more', { params: { ...(task.params as object), more: null } }],
    ['the engine', { engine: 'openblas' }],
    ['no engine', { engine: null }],
    ['the version of its library', { engineVersion: '1.3' }],
    ['the seed', { seed: 43 }],
    ['the fold', { coordinates: { fold: 2 } }],
    ['no fold', { coordinates: {} }],
    ['a shard in place of the fold', { coordinates: { shard: 1 } }],
    ['the task that it reads', { inputs: { features: [{ ...read, task: 'b'.repeat(32) }] } }],
    ['the output that it reads', { inputs: { features: [{ ...read, output: 'other' }] } }],
    // Consumers of lists name what they compare.
    ['the name of the stage that it reads', { inputs: { features: [{ ...read, stage: 'other' }] } }],
    ['the port', { inputs: { targets: [read] } }],
    ['one input more', { inputs: { features: [read, read] } }],
    ['the content of a file', { files: [{ path: 'data/a.csv', sha256: 'e'.repeat(64), bytes: 12 }] }],
    ['one file less', { files: [] }],
  ];
  it.each(decisive)('changes with %s', (_what, change) => {
    expect(identityOf({ ...task, ...change })).not.toBe(before);
  });

  const indifferent: [string, object][] = [
    ['the name of the stage itself', { stage: 'other' }],
    ['the place in the plan', { round: 7, index: 9 }],
    ['the number of the trial', { coordinates: { fold: 1, trial: 3 } }],
    ['the number of the replicate, whose seed counts', { coordinates: { fold: 1, replicate: 2 } }],
    ['being the winner', { coordinates: { fold: 1, refit: true } }],
    ['resources', { resources: { threads: 64, memoryMb: 1, gpus: 8 } }],
    ['where a file lies', { files: [{ path: '/elsewhere/b.csv', sha256: 'f'.repeat(64), bytes: 12 }] }],
    ['what an input is, which its output says', { inputs: { features: [{ ...read, coordinates: { trial: 4 } }] } }],
    ['isolation and module', { isolation: 'process', runs: 'other' }],
  ];
  it.each(indifferent)('does not change with %s', (_what, change) => {
    expect(identityOf({ ...task, ...change })).toBe(before);
  });

  const json = fc.jsonValue({ maxDepth: 3 });

  it('does not see the order in which parameters are written', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : value !== null && typeof value === 'object'
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, item]) => [key, reversed(item)]),
            )
          : value;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (params) => {
        expect(identityOf({ ...task, params: reversed(params) })).toBe(identityOf({ ...task, params }));
      }),
    );
  });

  it('differs wherever the parameters differ', () => {
    // What JSON cannot tell apart (0 and -0) is one value.
    const text = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    fc.assert(
      fc.property(json, json, (a, b) => {
        const same = identityOf({ ...task, params: a }) === identityOf({ ...task, params: b });
        expect(same).toBe(isEqual(text(a), text(b)));
      }),
    );
  });
});

function isEqual(a: unknown, b: unknown): boolean {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
}
