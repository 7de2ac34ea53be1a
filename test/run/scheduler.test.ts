import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resources } from '../../src/contract/stage.ts';
import type { Task } from '../../src/plan/types.ts';
import type { JobResult } from '../../src/run/job.ts';
import type { Slots } from '../../src/run/machine.ts';
import { type EndState, grant, schedule } from '../../src/run/scheduler.ts';

const small: Resources = { threads: 1, memoryMb: 10, gpus: 0 };

function task(id: string, inputs: readonly string[] = [], resources: Resources = small): Task {
  return {
    id,
    stage: id,
    resources,
    inputs: { data: inputs.map((producer) => ({ task: producer })) },
  } as unknown as Task;
}

const result = (state: JobResult['state']): JobResult =>
  state === 'done'
    ? { state, seconds: 1, peakMemoryMb: 1, cached: false }
    : { state, seconds: 1, error: { code: 'task', message: 'no' } };

interface Recorded {
  readonly states: Map<string, EndState>;
  /** `+a` for every start, `-a done` for every end, in order. */
  readonly events: readonly string[];
  readonly granted: ReadonlyMap<string, Resources>;
}

/** Runs tasks that end `turns` turns of the event loop after they began, in the state that `how` says. */
async function record(
  tasks: readonly Task[],
  slots: Slots,
  options: {
    turns?: (id: string) => number;
    how?: (id: string) => JobResult['state'];
    done?: readonly string[];
    lost?: readonly string[];
    stopping?: (events: readonly string[]) => boolean;
    stackOf?: (id: string) => string | undefined;
  } = {},
): Promise<Recorded> {
  const events: string[] = [];
  const granted = new Map<string, Resources>();
  const states = await schedule(
    tasks,
    { done: new Set(options.done ?? []), lost: new Set(options.lost ?? []) },
    slots,
    {
      stackOf: ({ id }) => options.stackOf?.(id),
      start: async (stack, resources) => {
        events.push(`+${stack.map(({ id }) => id).join('&')}`);
        for (const { id } of stack) {
          expect(granted.has(id), `${id} started twice`).toBe(false);
          granted.set(id, resources);
        }
        const [{ id: first }] = stack as [Task];
        for (let turn = options.turns?.(first) ?? 1; turn > 0; turn--)
          await new Promise((resolve) => setImmediate(resolve));
        return stack.map(({ id }) => result(options.how?.(id) ?? 'done'));
      },
      ended: async ({ id }, state) => {
        events.push(`-${id} ${state}`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push(`=${id}`);
      },
      stopping: () => options.stopping?.(events) ?? false,
    },
  );
  return { states, events, granted };
}

const one: Slots = { threads: 1, memoryMb: 1000, gpus: 0 };
const many: Slots = { threads: 8, memoryMb: 1000, gpus: 0 };

const starts = (events: readonly string[]): string[] =>
  events.filter((event) => event.startsWith('+')).map((event) => event.slice(1));

describe('order', () => {
  it('is that of the plan where nothing else decides', async () => {
    const { events } = await record(
      ['c', 'a', 'b'].map((id) => task(id)),
      one,
    );
    expect(starts(events)).toEqual(['c', 'a', 'b']);
  });

  it('puts inputs first', async () => {
    const { events, states } = await record([task('c', ['a', 'b']), task('b', ['a']), task('a')], many);
    expect(starts(events)).toEqual(['a', 'b', 'c']);
    expect([...states.values()]).toEqual(['done', 'done', 'done']);
  });

  it('takes what was done before as done', async () => {
    const { events, states } = await record([task('a'), task('b', ['a', 'z'])], one, { done: ['a', 'z'] });
    expect(starts(events)).toEqual(['b']);
    expect(states).toEqual(new Map([['b', 'done']]));
  });

  it('runs a task that stands in two places once', async () => {
    const { events, states } = await record([task('a'), task('a'), task('b', ['a'])], many);
    expect(starts(events)).toEqual(['a', 'b']);
    expect(states.size).toBe(2);
  });

  it('leaves a task with an input that nobody makes unstarted, and ends', async () => {
    const { states } = await record([task('a', ['nowhere']), task('b')], one);
    expect(states).toEqual(new Map([['b', 'done']]));
  });
});

describe('stacks', () => {
  const letter = (id: string): string | undefined => (id.startsWith('x') ? id.slice(0, 2) : undefined);

  it('start together with the resources of one, as far as their inputs are there', async () => {
    const tasks = [task('xa1'), task('b'), task('xa2'), task('xc1'), task('xa3', ['b'])];
    const { events } = await record(tasks, { threads: 2, memoryMb: 1000, gpus: 0 }, { stackOf: letter });
    expect(starts(events)).toEqual(['xa1&xa2', 'b', 'xc1', 'xa3']);
  });

  it('end each on its own: one that fails leaves the others done', async () => {
    const { states } = await record([task('xa1'), task('xa2'), task('b', ['xa2']), task('c', ['xa1'])], many, {
      stackOf: letter,
      how: (id) => (id === 'xa1' ? 'failed' : 'done'),
    });
    expect(Object.fromEntries(states)).toEqual({ xa1: 'failed', xa2: 'done', b: 'done', c: 'blocked' });
  });
});

describe('failures', () => {
  it('block what reads them, and what reads that, and nothing else', async () => {
    const { states, events } = await record(
      [task('a'), task('b', ['a']), task('c', ['b']), task('d', ['c', 'e']), task('e')],
      one,
      { how: (id) => (id === 'a' ? 'failed' : 'done') },
    );
    expect(Object.fromEntries(states)).toEqual({ a: 'failed', b: 'blocked', c: 'blocked', d: 'blocked', e: 'done' });
    expect(starts(events)).toEqual(['a', 'e']);
    // Whoever is told of an end has been heard out.
    expect(events.filter((event) => event.startsWith('='))).toHaveLength(5);
  });

  it('of before count too', async () => {
    const { states } = await record([task('b', ['a']), task('c', ['b'])], one, { lost: ['a'] });
    expect(Object.fromEntries(states)).toEqual({ b: 'blocked', c: 'blocked' });
  });

  it('and interruptions are the same to those who wait', async () => {
    const { states } = await record([task('a'), task('b', ['a'])], one, { how: () => 'interrupted' });
    expect(Object.fromEntries(states)).toEqual({ a: 'interrupted', b: 'blocked' });
  });
});

describe('stopping', () => {
  it('lets nothing new start; what runs is awaited, what waits is absent', async () => {
    const { states, events } = await record(
      [task('a'), task('b'), task('c'), task('d', ['a'])],
      { ...many, threads: 2 },
      {
        turns: (id) => (id === 'a' ? 1 : 5),
        stopping: (seen) => seen.some((event) => event.startsWith('-')),
      },
    );
    expect(starts(events)).toEqual(['a', 'b']);
    expect(Object.fromEntries(states)).toEqual({ a: 'done', b: 'done' });
  });

  it('that follows from an end comes before the next start', async () => {
    const { events } = await record([task('a'), task('b'), task('c')], one, {
      how: (id) => (id === 'b' ? 'failed' : 'done'),
      stopping: (seen) => seen.includes('-b failed'),
    });
    expect(starts(events)).toEqual(['a', 'b']);
  });
});

describe('slots', () => {
  it('grant never more than there is, and at least a thread', () => {
    expect(grant({ threads: 64, memoryMb: 9e9, gpus: 1 }, { threads: 4, memoryMb: 100, gpus: 1 })).toEqual({
      threads: 4,
      memoryMb: 100,
      gpus: 1,
    });
    expect(grant({ threads: 0, memoryMb: 0, gpus: 0 }, many).threads).toBe(1);
  });

  it('let a task that wants more than there is run alone', async () => {
    const large = task('large', [], { threads: 99, memoryMb: 10, gpus: 0 });
    const { events, granted } = await record([task('a'), large, task('b')], many, { turns: () => 3 });
    expect(granted.get('large')?.threads).toBe(8);
    const told = events.filter((event) => !event.startsWith('='));
    expect(told[told.indexOf('+large') + 1]).toBe('-large done');
    expect(told[told.indexOf('+large') - 1]).toMatch(/^-/);
  });

  it('are counted for memory and GPUs as for threads', async () => {
    const tasks = (resources: Resources): Task[] => ['a', 'b', 'c'].map((id) => task(id, [], resources));
    const most = async (resources: Resources, slots: Slots): Promise<number> => {
      const { events } = await record(tasks(resources), slots, { turns: () => 2 });
      let running = 0;
      let peak = 0;
      for (const event of events) {
        if (event.startsWith('+')) running++;
        if (event.startsWith('-')) running--;
        peak = Math.max(peak, running);
      }
      return peak;
    };
    expect(await most({ threads: 1, memoryMb: 400, gpus: 0 }, many)).toBe(2);
    expect(await most({ threads: 1, memoryMb: 1, gpus: 1 }, { ...many, gpus: 2 })).toBe(2);
    expect(await most({ threads: 4, memoryMb: 1, gpus: 0 }, many)).toBe(2);
    expect(await most(small, many)).toBe(3);
  });

  it('are given back: the next GPU task does not wait for what needs none', async () => {
    const gpu = (id: string): Task => task(id, [], { threads: 1, memoryMb: 600, gpus: 1 });
    const { events } = await record(
      [task('long'), gpu('a'), gpu('b')],
      { ...many, gpus: 1 },
      {
        turns: (id) => (id === 'long' ? 20 : 2),
      },
    );
    expect(events.indexOf('+b')).toBeGreaterThan(events.indexOf('-a done'));
    expect(events.indexOf('-b done')).toBeLessThan(events.indexOf('-long done'));
  });

  it('let others run beside a task whose GPU was not counted', async () => {
    const gpu = task('gpu', [], { threads: 1, memoryMb: 10, gpus: 1 });
    const { events } = await record([gpu, task('a')], many, { turns: (id) => (id === 'gpu' ? 5 : 1) });
    expect(events.indexOf('-a done')).toBeLessThan(events.indexOf('-gpu done'));
  });

  it('are never exceeded, and everything runs once and in order, for any graph', async () => {
    const graph = fc
      .array(
        fc.record({
          threads: fc.integer({ min: 1, max: 6 }),
          memoryMb: fc.integer({ min: 0, max: 120 }),
          gpus: fc.integer({ min: 0, max: 2 }),
          inputs: fc.array(fc.nat(), { maxLength: 3 }),
          turns: fc.integer({ min: 0, max: 4 }),
          fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        }),
        { maxLength: 24 },
      )
      .map((list) => list.map((item, i) => ({ ...item, inputs: i === 0 ? [] : item.inputs.map((n) => n % i) })));
    const slotsOfAny = fc.record({
      threads: fc.integer({ min: 1, max: 5 }),
      memoryMb: fc.integer({ min: 10, max: 100 }),
      gpus: fc.integer({ min: 0, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(graph, slotsOfAny, fc.boolean(), async (list, slots, backwards) => {
        const tasks = list.map(({ inputs, ...resources }, i) => task(String(i), inputs.map(String), { ...resources }));
        const { states, events, granted } = await record(backwards ? tasks.reverse() : tasks, slots, {
          turns: (id) => list[Number(id)]?.turns ?? 0,
          how: (id) => (list[Number(id)]?.fails ? 'failed' : 'done'),
        });
        // What ought to become of each.
        const wanted: EndState[] = [];
        for (const { inputs, fails } of list)
          wanted.push(inputs.some((input) => wanted[input] !== 'done') ? 'blocked' : fails ? 'failed' : 'done');
        expect(list.map((_, i) => states.get(String(i)))).toEqual(wanted);
        // What was in use at every moment.
        const running = new Set<string>();
        const ended = new Set<string>();
        for (const event of events) {
          const [id = ''] = event.slice(1).split(' ');
          if (event.startsWith('-')) {
            running.delete(id);
            ended.add(id);
          }
          if (!event.startsWith('+')) continue;
          for (const input of list[Number(id)]?.inputs ?? []) expect(ended.has(String(input))).toBe(true);
          running.add(id);
          const used = { threads: 0, memoryMb: 0, gpus: 0 };
          for (const other of running) {
            used.threads += granted.get(other)?.threads ?? 0;
            used.memoryMb += granted.get(other)?.memoryMb ?? 0;
            used.gpus += granted.get(other)?.gpus ?? 0;
          }
          expect(used.threads).toBeLessThanOrEqual(slots.threads);
          expect(used.memoryMb).toBeLessThanOrEqual(slots.memoryMb);
          // More GPUs than are counted are let in one task at a time.
          if (used.gpus > slots.gpus)
            expect([...running].filter((other) => (granted.get(other)?.gpus ?? 0) > 0)).toHaveLength(1);
        }
      }),
      { numRuns: 150 },
    );
  });
});
