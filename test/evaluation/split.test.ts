import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SET } from '../../src/evaluation/hold-out.ts';
import { checkSplits, type LeakRows } from '../../src/evaluation/leaks.ts';
import { isPurged, meets, meetsAny, mergeSpans } from '../../src/evaluation/spans.ts';
import { equalBlocks, type Fold, type SplitOptions, type SplitRows, splitRows } from '../../src/evaluation/split.ts';
import { twinsOf } from '../../src/evaluation/twins.ts';
import { makeRng } from '../../src/random/rng.ts';
import { shared, vectors, whyNoShared } from '../support/shared.ts';

const defaults: SplitOptions = {
  scheme: 'walk-forward',
  folds: 3,
  validationFraction: 0.2,
  purge: true,
  embargo: 0,
  disjointGroups: false,
  minTrainRows: 1,
  minTestRows: 1,
};

const split = (rows: SplitRows, options: Partial<SplitOptions> = {}): Fold[] =>
  splitRows(rows, { ...defaults, ...options }, makeRng('split'));

const inSet = (fold: Fold | undefined, set: number): number[] =>
  [...(fold ?? [])].flatMap((s, i) => (s === set ? [i] : []));

/** A panel: every wallet once a date, labels that look `horizon` dates ahead. */
function panel(
  dates: number,
  wallets: number,
  horizon: number,
): Required<Pick<SplitRows, 'id' | 'group' | 'time' | 'labelEnd'>> & SplitRows {
  const count = dates * wallets;
  const time = Array.from({ length: count }, (_, i) => Math.floor(i / wallets));
  const id = Array.from({ length: count }, (_, i) => `w${i % wallets}`);
  return { count, time, labelEnd: time.map((t) => t + horizon), id, group: id };
}

describe('label spans', () => {
  it('meet when they share one moment', () => {
    expect(meets({ from: 0, to: 2 }, { from: 2, to: 3 })).toBe(true);
    expect(meets({ from: 0, to: 2 }, { from: 2.5, to: 3 })).toBe(false);
  });

  it('are found among merged spans as by comparing with each', () => {
    const span = fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6 }))
      .map(([from, length]) => ({ from, to: from + length }));
    fc.assert(
      fc.property(span, fc.array(span), (one, many) => {
        expect(meetsAny(one, mergeSpans(many))).toBe(many.some((other) => meets(one, other)));
      }),
    );
  });
});

describe.skipIf(!shared)(`published purge vectors (${shared ? 'found' : whyNoShared})`, () => {
  const byId = new Map((shared ? vectors('cv_walkforward') : []).map((v) => [v.id, v]));
  const vector = (id: string): { input: Record<string, unknown>; expected: unknown } => {
    const found = byId.get(id);
    if (found === undefined) throw new Error(`no vector ${id}`);
    return found;
  };
  const kept = (count: number, length: number, blocks: number[][], embargo = 0): number[] =>
    Array.from({ length: count }, (_, i) => i).filter(
      (i) =>
        !isPurged(
          { from: i, to: i + length },
          blocks.map(([from, to]) => ({ from: from as number, to: to as number })),
          embargo,
        ),
    );

  it.each(['mlf_purge_train_starts_in_test', 'mlf_purge_train_ends_in_test'])('%s', (id) => {
    const { input, expected } = vector(id);
    expect(kept(10, 2, input['test'] as number[][])).toEqual(expected);
  });

  it('six-hour labels lose six hours on each side of the test block', () => {
    const { expected } = vector('six_hour_label_purge');
    expect(kept(48, 6, [[24, 41]])).toEqual(expected);
  });

  it.each([
    ['skf_cpcv_12_3_2_purge1', 1, 0],
    ['skf_cpcv_12_3_2_embargo1', 0, 1],
  ] as const)('%s: two held-out blocks at once', (id, length, embargo) => {
    const { expected } = vector(id);
    for (const [train, tests] of expected as [number[], number[][]][]) {
      const blocks = tests.map((rows) => [rows[0] as number, (rows.at(-1) as number) + length]);
      const tested = new Set(tests.flat());
      expect(kept(12, length, blocks, embargo).filter((i) => !tested.has(i))).toEqual(train);
    }
  });

  it('walks forward month by month with a rolling year', () => {
    const { expected } = vector('walk_forward_24m_rolling12');
    const { n_folds, ...ends } = expected as { n_folds: number } & Record<
      'first' | 'second' | 'last',
      Record<string, string>
    >;
    const day = 86_400_000;
    const from = Date.parse('2023-01-01');
    const count = (Date.parse('2026-01-01') - from) / day;
    const time = Array.from({ length: count }, (_, i) => from + i * day);
    const month = (i: number): number => Date.UTC(2024, i, 1);
    const trainFrom = (testFrom: number): number => {
      const date = new Date(testFrom);
      return Date.UTC(date.getUTCFullYear() - 1, date.getUTCMonth(), 1);
    };
    const folds = split(
      { count, time },
      {
        folds: n_folds,
        validationFraction: 0,
        boundaries: Array.from({ length: n_folds + 1 }, (_, i) => month(i)),
        trainFrom,
      },
    );
    const range = (fold: Fold | undefined, set: number): string[] => {
      const rows = inSet(fold, set).map((i) => time[i] as number);
      return [Math.min(...rows), Math.max(...rows) + day].map((t) => new Date(t).toISOString().slice(0, 10));
    };
    expect(folds).toHaveLength(24);
    for (const [name, at] of [
      ['first', 0],
      ['second', 1],
      ['last', 23],
    ] as const) {
      const { train_from, train_to_excl, test_from, test_to_excl } = ends[name];
      expect(range(folds[at], SET.train)).toEqual([train_from, train_to_excl]);
      expect(range(folds[at], SET.test)).toEqual([test_from, test_to_excl]);
    }
  });
});

describe('walk-forward', () => {
  it('cuts dates, not rows, into blocks of equal number', () => {
    expect(equalBlocks([0, 1, 2, 3, 4, 5, 6], 3)).toEqual([0, 2, 4, Infinity]);
    const folds = split(panel(8, 3, 0), { validationFraction: 0 });
    expect(folds.map((fold) => inSet(fold, SET.test).map((row) => Math.floor(row / 3)))).toEqual([
      [2, 2, 2, 3, 3, 3],
      [4, 4, 4, 5, 5, 5],
      [6, 6, 6, 7, 7, 7],
    ]);
  });

  it('purges by the end of the label, also when it ends weeks later', () => {
    // One label of the first date resolves inside the test block: purging a fixed number of rows would keep it.
    const rows = { count: 8, time: [0, 1, 2, 3, 4, 5, 6, 7], labelEnd: [6, 1, 2, 4, 5, 6, 7, 8] };
    const [fold] = split(rows, { folds: 1, validationFraction: 0 });
    expect(inSet(fold, SET.train)).toEqual([1, 2]);
    expect(inSet(fold, SET.purged)).toEqual([0, 3]);
  });

  it('starts the purge at the first moment of the test, not at the end of its first label', () => {
    const rows = { count: 6, time: [0, 1, 2, 3, 4, 5], labelEnd: [1, 2, 3.5, 6, 7, 8] };
    // Row 2 ends at 3.5: after the first test row begins (3), before the first test label ends (6).
    expect(inSet(split(rows, { folds: 1, validationFraction: 0 })[0], SET.train)).toEqual([0, 1]);
  });

  it('validates on the last dates and purges training against them', () => {
    const [fold] = split(panel(20, 1, 1), { folds: 1, validationFraction: 0.25 });
    // Test from date 10; date 9 is purged, dates 7 and 8 validate (a quarter of nine), date 6 is purged.
    expect(inSet(fold, SET.validation)).toEqual([7, 8]);
    expect(inSet(fold, SET.purged)).toEqual([6, 9]);
    expect(inSet(fold, SET.train)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('never trains on a row whose label has no known end', () => {
    const rows = { ...panel(10, 1, 0), labelEnd: [NaN, 1, 2, 3, 4, 5, NaN, 7, 8, 9] };
    const [fold] = split(rows, { folds: 1, validationFraction: 0 });
    expect(inSet(fold, SET.purged)).toEqual([0]);
    expect(inSet(fold, SET.test)).toEqual([5, 6, 7, 8, 9]);
  });

  it('keeps groups apart on request', () => {
    const rows = { count: 6, time: [0, 1, 2, 3, 4, 5], group: ['a', 'b', 'c', 'a', 'd', 'a'] };
    const [fold] = split(rows, { folds: 1, validationFraction: 0, disjointGroups: true });
    expect(inSet(fold, SET.train)).toEqual([1, 2]);
    expect(inSet(fold, SET.purged)).toEqual([0]);
  });

  const timed = fc
    .tuple(
      fc.array(
        fc.record({
          time: fc.integer({ min: 0, max: 30 }),
          length: fc.integer({ min: 0, max: 3 }),
          wallet: fc.integer({ min: 0, max: 9 }),
        }),
        {
          minLength: 30,
          maxLength: 120,
        },
      ),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(([list, folds]) => {
      const time = list.map((row) => row.time);
      const rows: SplitRows = {
        count: list.length,
        time,
        labelEnd: list.map((row) => row.time + row.length),
        group: list.map((row) => `w${row.wallet}`),
        id: list.map((row, i) => `${row.wallet}-${i}`),
      };
      return { rows, folds };
    })
    .filter(({ rows }) => new Set(Array.from(rows.time ?? [])).size > 18);

  /** Folds of a split that exists; cases whose sets come out empty say so and are not what is tested here. */
  const attempt = (rows: SplitRows, options: Partial<SplitOptions>): Fold[] | undefined => {
    try {
      return split(rows, options);
    } catch (error) {
      expect(String(error)).toMatch(/has no (training|validation|test) rows/);
      return undefined;
    }
  };

  it.each(['walk-forward', 'purged-k-fold'] as const)(
    '%s: no label span of a training row meets a held-out one',
    (scheme) => {
      let split = 0;
      fc.assert(
        fc.property(timed, fc.integer({ min: 0, max: 2 }), fc.boolean(), ({ rows, folds }, embargo, disjointGroups) => {
          const result = attempt(rows, {
            scheme,
            folds: folds + 1,
            embargo,
            disjointGroups: disjointGroups && folds === 1,
          });
          if (result === undefined) return;
          split++;
          const span = (i: number) => ({ from: rows.time?.[i] as number, to: rows.labelEnd?.[i] as number });
          for (const fold of result) {
            for (const [first, second] of [
              [SET.train, SET.test],
              [SET.validation, SET.test],
              [SET.train, SET.validation],
            ] as const)
              for (const a of inSet(fold, first))
                for (const b of inSet(fold, second)) {
                  expect(meets(span(a), span(b))).toBe(false);
                  if (span(a).from > span(b).to) expect(span(a).from).toBeGreaterThan(span(b).to + embargo);
                }
          }
        }),
        { numRuns: 40 },
      );
      expect(split).toBeGreaterThan(15);
    },
  );

  it('tests every date after the first block exactly once', () => {
    fc.assert(
      fc.property(timed, ({ rows, folds }) => {
        const result = attempt(rows, { folds });
        if (result === undefined) return;
        const first = Math.min(...inSet(result[0], SET.test).map((i) => rows.time?.[i] as number));
        for (let i = 0; i < rows.count; i++)
          expect(result.filter((fold) => fold[i] === SET.test)).toHaveLength(
            (rows.time?.[i] as number) >= first ? 1 : 0,
          );
      }),
      { numRuns: 40 },
    );
  });

  it('does not change the past when the future is cut off', () => {
    fc.assert(
      fc.property(timed, ({ rows, folds }) => {
        const dates = [...new Set(Array.from(rows.time ?? []))].sort((a, b) => a - b);
        const boundaries = equalBlocks(dates, folds + 2).slice(1);
        const all = attempt(rows, { folds: folds + 1, boundaries });
        if (all === undefined) return;
        const end = boundaries[folds] as number;
        const keep = Array.from({ length: rows.count }, (_, i) => i).filter((i) => (rows.time?.[i] as number) < end);
        const cut = split(select(rows, keep), { folds, boundaries: boundaries.slice(0, folds + 1) });
        for (const [f, fold] of cut.entries()) expect([...fold]).toEqual(keep.map((i) => all[f]?.[i]));
      }),
      { numRuns: 40 },
    );
  });
});

function select(rows: SplitRows, keep: readonly number[]): SplitRows {
  const pick = <T>(values: ArrayLike<T> | undefined): T[] => keep.map((i) => (values as ArrayLike<T>)[i] as T);
  return {
    count: keep.length,
    ...(rows.time ? { time: pick(rows.time) } : {}),
    ...(rows.labelEnd ? { labelEnd: pick(rows.labelEnd) } : {}),
    ...(rows.group ? { group: pick(rows.group) } : {}),
    ...(rows.id ? { id: pick(rows.id) } : {}),
    ...(rows.stratum ? { stratum: pick(rows.stratum) } : {}),
  };
}

describe('purged k-fold', () => {
  it('purges both sides and embargoes one', () => {
    const [, fold] = split(panel(12, 1, 1), { scheme: 'purged-k-fold', folds: 3, validationFraction: 0, embargo: 2 });
    expect(inSet(fold, SET.test)).toEqual([4, 5, 6, 7]);
    // 3 reaches into the test; 8 begins where its last label ends; 9 and 10 are under embargo.
    expect(inSet(fold, SET.purged)).toEqual([3, 8, 9, 10]);
    expect(inSet(fold, SET.train)).toEqual([0, 1, 2, 11]);
  });
});

describe('group k-fold', () => {
  const rows = fc
    .array(fc.integer({ min: 0, max: 14 }), { minLength: 60, maxLength: 150 })
    .map(
      (list): SplitRows => ({ count: list.length, group: list.map((g) => `g${g}`), id: list.map((_, i) => String(i)) }),
    )
    .filter((r) => new Set(r.group).size > 8);

  it('shares no group between sets, tests every row once, and fills folds evenly', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 2, max: 4 }), (r, folds) => {
        const result = split(r, { scheme: 'group-k-fold', folds });
        for (const fold of result) {
          const groups = [SET.train, SET.validation, SET.test].map(
            (set) => new Set(inSet(fold, set).map((i) => r.group?.[i])),
          );
          const sizes = groups.map((set) => set.size);
          expect(new Set(groups.flatMap((set) => [...set])).size).toBe(
            (sizes[0] ?? 0) + (sizes[1] ?? 0) + (sizes[2] ?? 0),
          );
          expect(inSet(fold, SET.none)).toEqual([]);
        }
        for (let i = 0; i < r.count; i++) expect(result.filter((fold) => fold[i] === SET.test)).toHaveLength(1);
        const largest = Math.max(...[...new Set(r.group)].map((g) => (r.group ?? []).filter((x) => x === g).length));
        const tests = result.map((fold) => inSet(fold, SET.test).length);
        expect(Math.max(...tests) - Math.min(...tests)).toBeLessThanOrEqual(largest);
      }),
      { numRuns: 50 },
    );
  });
});

describe('k-fold', () => {
  it('gives every fold its share of each class', () => {
    const count = 90;
    const stratum = Array.from({ length: count }, (_, i) => (i % 9 === 0 ? 'rare' : 'common'));
    const folds = split({ count, stratum }, { scheme: 'k-fold', folds: 5, validationFraction: 0.25 });
    for (const fold of folds) {
      expect(inSet(fold, SET.test)).toHaveLength(18);
      expect(inSet(fold, SET.test).filter((i) => stratum[i] === 'rare')).toHaveLength(2);
      expect(inSet(fold, SET.validation).filter((i) => stratum[i] === 'rare')).toHaveLength(2);
    }
    expect(folds.flatMap((fold) => inSet(fold, SET.test)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
  });
});

it.each(['walk-forward', 'purged-k-fold', 'group-k-fold', 'k-fold'] as const)(
  '%s does not depend on the order of rows',
  (scheme) => {
    const rows = panel(24, 7, 1);
    const order = makeRng('order').shuffle(Array.from({ length: rows.count }, (_, i) => i));
    const straight = split(rows, { scheme });
    const shuffled = split(select(rows, order), { scheme });
    for (const [f, fold] of shuffled.entries()) expect([...fold]).toEqual(order.map((i) => straight[f]?.[i]));
  },
);

describe('what cannot be split', () => {
  it.each([
    [panel(3, 5, 0), {}, /3 distinct dates do not make 4 blocks/, /lower `folds`/],
    [panel(8, 5, 30), { folds: 1 }, /fold 0 has no training rows/, /20 rows were purged.*horizon/],
    [panel(8, 5, 0), { folds: 1, minTestRows: 21 }, /only 20 test rows \(minTestRows: 21\)/, /lower `folds`/],
    [
      panel(8, 5, 0),
      { folds: 1, minTrainRows: 21, validationFraction: 0 },
      /only 20 training rows/,
      /validationFraction/,
    ],
    [
      { count: 4, group: ['a', 'b', 'a', 'b'] },
      { scheme: 'group-k-fold' as const, folds: 3 },
      /2 groups do not make 3 folds/,
      /lower/,
    ],
    [
      { count: 4, group: ['a', 'b', 'a', 'b'] },
      { scheme: 'group-k-fold' as const, folds: 2 },
      /fold 0 has no training rows/,
      /validationFraction/,
    ],
    [{ count: 5, id: ['a'] }, {}, /carry no time/, /group-k-fold/],
    [{ count: 5 }, { scheme: 'group-k-fold' as const }, /carry no group/, /role "group"/],
    [{ count: 2, time: [0, NaN] }, {}, /row 1 has no time/, /^$/],
    [{ count: 2, time: [0, 1], labelEnd: [0, 0] }, {}, /row 1: its label ends before it begins/, /^$/],
    [{ count: 0 }, {}, /no rows/, /^$/],
  ])('case %#', (rows: SplitRows, options: Partial<SplitOptions>, message, hint) => {
    let caught: unknown;
    try {
      split(rows, options);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'data', message: expect.stringMatching(message) });
    expect((caught as { hint?: string }).hint ?? '').toMatch(hint);
  });
});

describe('leak checks', () => {
  const { none, train, validation, test, purged } = SET;
  const rows: LeakRows = {
    count: 6,
    time: [0, 1, 2, 3, 4, 5],
    labelEnd: [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
    id: ['a', 'b', 'c', 'd', 'e', 'f'],
    group: ['a', 'b', 'c', 'd', 'e', 'f'],
    twin: [0, 1, 2, 3, 4, 5],
  };
  const clean = Int32Array.of(train, train, purged, validation, test, none);
  const promises = { scheme: 'walk-forward', disjointGroups: true, validationFraction: 0.2, purge: true } as const;
  const verdicts = (
    r: LeakRows,
    fold: Int32Array,
    p: Parameters<typeof checkSplits>[2] = promises,
  ): Record<string, string> =>
    Object.fromEntries(checkSplits(r, [fold], p).map((check) => [check.name, check.verdict]));
  const passes = {
    'Time order': 'pass',
    'Label overlap': 'pass',
    'Group overlap': 'pass',
    Duplicates: 'pass',
    'Empty sets': 'pass',
  };

  it('pass a clean split', () => expect(verdicts(rows, clean)).toEqual(passes));

  it.each([
    ['Time order', { ...rows, time: [0, 4.2, 2, 3, 4, 5], labelEnd: [0.5, 4.2, 2.5, 3.5, 4.1, 5.5] }, clean],
    ['Label overlap', { ...rows, labelEnd: [4.2, 1.5, 2.5, 3.5, 4.5, 5.5] }, clean],
    ['Label overlap', { ...rows, labelEnd: [0.5, NaN, 2.5, 3.5, 4.5, 5.5] }, clean],
    ['Group overlap', { ...rows, group: ['a', 'e', 'c', 'd', 'e', 'f'] }, clean],
    ['Group overlap', { ...rows, group: ['a', 'd', 'c', 'd', 'e', 'f'] }, clean],
    [
      'Duplicates',
      {
        ...rows,
        time: [0, 1, 2, 3, 3, 5],
        labelEnd: [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        id: ['a', 'b', 'c', 'd', 'd', 'f'],
      },
      clean,
    ],
    ['Empty sets', rows, Int32Array.of(train, train, purged, purged, test, none)],
    ['Empty sets', rows, Int32Array.of(purged, purged, purged, validation, test, none)],
  ])('find a planted leak: %s', (name, leaky, fold) => {
    expect(verdicts(leaky, fold)[name]).toBe('fail');
  });

  it('leave the other checks alone where one leak is planted', () => {
    expect(verdicts({ ...rows, labelEnd: [4.2, 1.5, 2.5, 3.5, 4.5, 5.5] }, clean)).toEqual({
      ...passes,
      'Label overlap': 'fail',
    });
    expect(verdicts({ ...rows, group: ['a', 'e', 'c', 'd', 'e', 'f'] }, clean)).toEqual({
      ...passes,
      'Group overlap': 'fail',
    });
  });

  it('say what was not promised instead of failing it', () => {
    const shuffled = Int32Array.of(test, train, train, validation, train, train);
    expect(verdicts(rows, shuffled, { ...promises, scheme: 'k-fold', disjointGroups: false })).toEqual({
      ...passes,
      'Time order': 'undecided',
    });
    const known = { ...rows, group: ['a', 'e', 'c', 'd', 'e', 'f'], twin: [4, 1, 2, 3, 4, 5] };
    expect(verdicts(known, clean, { ...promises, disjointGroups: false })).toEqual({
      ...passes,
      'Group overlap': 'undecided',
      Duplicates: 'undecided',
    });
    const { labelEnd: _, ...unlabelled } = rows;
    expect(verdicts(unlabelled, clean)['Label overlap']).toBe('undecided');
  });

  it('name the fold and the rows as evidence', () => {
    const check = checkSplits({ ...rows, labelEnd: [4.2, 1.5, 2.5, 3.5, 4.5, 5.5] }, [clean, clean], promises)[1];
    expect(check?.detail).toContain('2 rows');
    expect(check?.detail).toContain('fold 0: train row 0 and the test set');
  });

  it('pass every split the splitter makes, for what it promises', () => {
    const made = panel(24, 6, 2);
    for (const scheme of ['walk-forward', 'purged-k-fold', 'group-k-fold', 'k-fold'] as const) {
      const options = { ...defaults, scheme };
      expect(checkSplits(made, split(made, options), options).filter((check) => check.verdict === 'fail')).toEqual([]);
    }
  });
});

it('finds rows with equal features, missing values included', () => {
  expect([...twinsOf([Float64Array.of(1, 1, NaN, NaN, 1), Float64Array.of(2, 3, 4, 4, 2)], 5)]).toEqual([
    0, 1, 2, 2, 0,
  ]);
});
