/** A full report model with every kind of figure, made from a fixed sequence: equal on every machine and every day. */

import type { Figure, MapFigure } from '../../src/contract/figure.ts';
import type { ReportModel, ReportSweep } from '../../src/report/model.ts';

/** Text as hostile data would bring it: markup, quotes, line separators, a closing script. */
export const HOSTILE = `Will <script>alert("x")</script> & 'win'?\u2028</script><!--`;

/** Lehmer's generator: small, fixed, and good enough for pictures. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const round = (value: number, digits = 4): number => Number(value.toFixed(digits));

export function mapFigure(n: number): MapFigure {
  const next = sequence(7);
  const normal = (): number => next() + next() + next() + next() - 2;
  const archetypes = [
    'market maker',
    'swing trader',
    'arbitrage bot',
    'retail',
    'whale',
    'insider',
    'sniper',
    'farmer',
    'dormant',
  ];
  const centres = archetypes.map(() => [normal() * 22, normal() * 22] as const);
  const codes = Array.from({ length: n }, () => Math.floor(next() ** 1.7 * archetypes.length));
  return {
    id: 'wallet-map',
    section: 'map',
    kind: 'map',
    title: 'Wallets of one archetype lie together, bots apart from people',
    subtitle: `t-SNE of 24 features as of 31 Oct 2026, perplexity 40; n = ${n} wallets`,
    caption: 'Distances between far groups mean nothing; neighbours do.',
    method: 't-SNE',
    ids: codes.map((_, i) => (i === 0 ? HOSTILE : `0x${((i + 1) * 2_654_435_761).toString(16).padStart(40, '0')}`)),
    x: codes.map((code) => round((centres[code]?.[0] ?? 0) + normal() * 5)),
    y: codes.map((code) => round((centres[code]?.[1] ?? 0) + normal() * 5)),
    columns: [
      { name: 'archetype', type: 'category', categories: archetypes, codes },
      {
        name: 'edge',
        unit: '¢',
        type: 'value',
        values: codes.map((code) => (next() < 0.05 ? null : round(normal() * 3 + code / 3))),
      },
      { name: 'volume', unit: 'USD', type: 'value', values: codes.map(() => round(1000 / (next() + 0.01), 2)) },
    ],
    colour: 'archetype',
  };
}

export function sweepOf(n: number): ReportSweep {
  const next = sequence(11);
  const hidden = ['[64]', '[128,64]', '[256,256,128]'];
  const trials = Array.from({ length: n }, (_, i) => {
    const learningRate = 10 ** (-4 + 2 * next());
    const dropout = round(next() * 0.5, 3);
    const width = Math.floor(next() * 3);
    const batch = [32, 128, 512][Math.floor(next() * 3)] ?? 32;
    const failed = next() < 0.04;
    const base = 0.68 - 0.02 * (Math.log10(learningRate) + 2.8) ** 2 - 0.05 * (dropout - 0.2) ** 2 + 0.006 * width;
    const values = [0, 1, 2].map(() => (failed ? null : round(base + (next() - 0.5) * 0.02)));
    const scores = values.filter((value) => value !== null);
    return {
      trial: i,
      params: {
        learningRate: Number(learningRate.toPrecision(4)),
        dropout,
        hidden: JSON.parse(hidden[width] ?? '[]') as unknown,
        batchSize: batch,
      },
      values,
      score: scores.length === 3 ? round(scores.reduce((sum, value) => sum + value, 0) / 3, 5) : null,
      seconds: failed ? null : round(20 + next() * 30, 1),
    };
  });
  let winner: number | null = null;
  trials.forEach((trial, i) => {
    if (trial.score !== null && (winner === null || trial.score > (trials[winner]?.score ?? 0))) winner = i;
  });
  return {
    stage: 'mtl',
    metric: 'validation.score',
    goal: 'maximize',
    sampler: 'tpe',
    axes: [
      { name: 'learningRate', scale: 'log' },
      { name: 'dropout', scale: 'linear' },
      { name: 'hidden', scale: 'category', values: hidden },
      { name: 'batchSize', scale: 'category', values: ['32', '128', '512'] },
    ],
    folds: 3,
    replicates: 3,
    trials,
    foldWinners: [2, 14, 2],
    winner,
  };
}

function curves(fold: number): Figure {
  const next = sequence(100 + fold);
  const epochs = Array.from({ length: 20 }, (_, i) => i + 1);
  const fall = (floor: number, rate: number): number[] =>
    epochs.map((epoch) => round(floor + 0.3 * Math.exp(-epoch / rate) + next() * 0.006));
  return {
    id: 'learning-curves',
    section: 'models',
    kind: 'line',
    title: 'Validation stops improving after a dozen epochs',
    subtitle: 'mean loss over six heads, by epoch',
    caption: 'Weights of the best validation epoch are kept.',
    method: 'Multi-task network',
    x: { label: 'epoch', scale: 'linear' },
    y: { label: 'loss', scale: 'linear' },
    series: [
      { label: 'validation', role: 'this', x: epochs, y: fall(0.42 + fold * 0.01, 4) },
      { label: 'training', role: 'baseline', x: epochs, y: fall(0.36, 6) },
    ],
  };
}

function figures(points: number): { stage: string; part: string; figure: Figure }[] {
  const days = Array.from({ length: 120 }, (_, i) => Date.UTC(2026, 5, 1) + i * 86_400_000);
  const next = sequence(3);
  const walk = (drift: number): number[] => {
    let at = 1;
    return days.map(() => {
      at += drift + (next() - 0.5) * 0.02;
      return round(at);
    });
  };
  const equity = walk(0.003);
  const grid = Array.from({ length: 21 }, (_, i) => i / 20);
  const list: { stage: string; part: string; figure: Figure }[] = [
    {
      stage: 'copy',
      part: '',
      figure: {
        id: 'edges',
        section: 'answer',
        kind: 'forest',
        title: 'Only the fast follower clears zero',
        subtitle: '¢ per share after fees, mean and 95 % interval; n positions',
        caption: 'Edge is outcome minus price paid, all costs in, clustered by event.',
        method: 'Edge',
        unit: '¢',
        zero: 0,
        rows: [
          { label: 'Copy top 40, 30 s late', role: 'this', n: 18_204, value: 1.62, low: 0.41, high: 2.83 },
          { label: 'Copy top 40, 2 min late', role: 'this', n: 18_067, value: -0.31, low: -1.24, high: 0.62 },
          { label: 'Copy all wallets', role: 'baseline', n: 911_402, value: 0.18, low: -0.05, high: 0.41 },
          { label: 'Random 40, equal turnover', role: 'baseline', n: 17_930, value: -0.09, low: -0.76, high: 0.58 },
          { label: HOSTILE, role: 'other', n: 12, value: null, low: null, high: null, why: 'fewer than 30 positions' },
        ],
      },
    },
    {
      stage: 'trades',
      part: '',
      figure: {
        id: 'volume-by-day',
        section: 'data',
        kind: 'line',
        title: 'Fills arrive every day but three',
        subtitle: 'fills a day, thousand; n = 120 days',
        caption: 'Counted after duplicates were dropped; a gap is a day without a file.',
        x: { label: 'day', scale: 'time' },
        y: { label: 'fills', unit: 'thousand', scale: 'linear', min: 0 },
        series: [
          {
            label: 'fills',
            role: 'this',
            x: days,
            y: days.map((_, i) => (i > 60 && i < 64 ? null : round(40 + 12 * Math.sin(i / 6) + next() * 8, 1))),
          },
        ],
      },
    },
    {
      stage: 'trades',
      part: '',
      figure: {
        id: 'fill-sizes',
        section: 'data',
        kind: 'histogram',
        title: 'How large is a fill? Half are below $20',
        subtitle: 'USD, fills by size; n = 41,300',
        caption: 'Edges are equal steps of the logarithm.',
        x: { label: 'size of a fill', unit: 'USD', scale: 'log' },
        edges: [0.1, 1, 10, 100, 1000, 10_000, 100_000],
        groups: [{ label: 'fills', role: 'this', counts: [1200, 8900, 16_400, 11_000, 3300, 500] }],
      },
    },
    ...[0, 1, 2, 3, 4, 5].map((fold) => ({ stage: 'mtl', part: `fold ${fold}`, figure: curves(fold) })),
    {
      stage: 'mtl',
      part: '',
      figure: {
        id: 'roc',
        section: 'models',
        kind: 'line',
        title: 'The network ranks winners better than past edge does',
        subtitle: 'true against false positive rate on the test set, 95 % band; n = 4,210 wallets',
        caption: 'Bands are bootstrapped over wallets.',
        method: 'ROC',
        x: { label: 'false positive rate', scale: 'linear', min: 0, max: 1 },
        y: { label: 'true positive rate', scale: 'linear', min: 0, max: 1 },
        reference: 'diagonal',
        series: [
          {
            label: 'network',
            role: 'this',
            x: grid,
            y: grid.map((x) => round(x ** 0.42)),
            low: grid.map((x) => round(Math.max(0, x ** 0.42 - 0.04 * Math.sin(Math.PI * x)))),
            high: grid.map((x) => round(Math.min(1, x ** 0.42 + 0.04 * Math.sin(Math.PI * x)))),
          },
          { label: 'past edge', role: 'baseline', x: grid, y: grid.map((x) => round(x ** 0.72)) },
          { label: 'boosting', role: 'other', x: grid, y: grid.map((x) => round(x ** 0.5)) },
        ],
      },
    },
    {
      stage: 'mtl',
      part: '',
      figure: {
        id: 'reliability',
        section: 'models',
        kind: 'line',
        title: 'Are stated probabilities kept? Up to 70 %, yes',
        subtitle: 'observed share by predicted probability, 95 % interval; ten bins of equal count',
        caption: 'Wilson intervals by bin.',
        x: { label: 'predicted', scale: 'linear', min: 0, max: 1 },
        y: { label: 'observed', scale: 'linear', min: 0, max: 1 },
        reference: 'diagonal',
        series: [
          {
            label: 'network',
            role: 'this',
            dots: true,
            x: [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95],
            y: [0.06, 0.14, 0.27, 0.33, 0.47, 0.53, 0.66, 0.7, 0.76, null],
            low: [0.04, 0.11, 0.23, 0.29, 0.42, 0.48, 0.6, 0.63, 0.67, null],
            high: [0.09, 0.18, 0.31, 0.38, 0.52, 0.58, 0.72, 0.77, 0.85, null],
          },
        ],
      },
    },
    {
      stage: 'boost',
      part: '',
      figure: {
        id: 'importance',
        section: 'models',
        kind: 'bars',
        title: 'Which features carry the ranking? Past edge and speed',
        subtitle: 'loss of AUC when a feature is shuffled, 95 % interval; n = 4,210',
        caption: 'Ten shuffles a feature on the test set.',
        unit: 'AUC',
        bars: [
          { label: 'settled edge, 90 d', role: 'this', value: 0.041, low: 0.033, high: 0.049 },
          { label: 'median hold', role: 'this', value: 0.022, low: 0.016, high: 0.028 },
          { label: 'maker share', role: 'this', value: 0.034, low: 0.027, high: 0.041 },
          { label: 'hour entropy', role: 'this', value: -0.002, low: -0.006, high: 0.002 },
          { label: HOSTILE, role: 'baseline', value: null, note: 'constant in this sample' },
        ],
      },
    },
    {
      stage: 'boost',
      part: '',
      figure: {
        id: 'confusion',
        section: 'models',
        kind: 'heatmap',
        title: 'Which archetypes are confused? Retail with swing',
        subtitle: 'wallets of the test set by true and predicted archetype; n = 4,210',
        caption: 'Highest predicted probability; no reject option.',
        rowTitle: 'true',
        columnTitle: 'predicted',
        rows: ['maker', 'swing', 'bot', 'retail'],
        columns: ['maker', 'swing', 'bot', 'retail'],
        values: [
          [812, 41, 12, 9],
          [38, 640, 15, 201],
          [9, 11, 702, null],
          [22, 230, 8, 1460],
        ],
        unit: 'wallets',
      },
    },
    {
      stage: 'boost',
      part: '',
      figure: {
        id: 'scores',
        section: 'models',
        kind: 'histogram',
        title: 'Winners and losers overlap, but not entirely',
        subtitle: 'predicted probability by outcome; n = 4,210',
        caption: 'Twenty equal bins.',
        x: { label: 'predicted probability', scale: 'linear' },
        edges: grid,
        groups: [
          {
            label: 'profitable later',
            role: 'this',
            counts: grid.slice(1).map((x) => Math.round(300 * x * (1.1 - x))),
          },
          { label: 'not', role: 'baseline', counts: grid.slice(1).map((x) => Math.round(500 * (1 - x) ** 2)) },
        ],
      },
    },
    { stage: 'tsne', part: '', figure: mapFigure(points) },
    {
      stage: 'rank',
      part: '',
      figure: {
        id: 'top-wallets',
        section: 'wallets',
        kind: 'table',
        title: 'Nine of the first twelve hold at a false-discovery rate of 5 %',
        subtitle: 'settled edge as of 31 Oct 2026; sorted by the lower end of the interval',
        caption: 'Benjamini and Hochberg over all wallets with 30 or more settled positions.',
        method: 'False discovery',
        columns: [
          { name: 'wallet', align: 'left' },
          { name: 'market', align: 'left' },
          { name: 'edge', unit: '¢', align: 'right' },
          { name: 'low', align: 'right' },
          { name: 'positions', align: 'right' },
          { name: 'q', align: 'right' },
        ],
        rows: Array.from({ length: 40 }, (_, i) => [
          `0x${(0x9e3779b97f4a + i * 7919).toString(16).padStart(40, '0')}`,
          i === 2 ? HOSTILE : `market ${i}`,
          round(4.9 - i * 0.12, 2),
          i === 5 ? null : round(2.9 - i * 0.13, 2),
          40 + ((i * 37) % 400),
          round(0.001 * (i + 1), 4),
        ]),
      },
    },
    {
      stage: 'copy',
      part: '',
      figure: {
        id: 'equity',
        section: 'strategy',
        kind: 'line',
        title: '$1 became $1.3; copying everyone made little',
        subtitle: 'value of $1 on committed capital after costs, 95 % band; n = 120 days',
        caption: 'Stationary bootstrap of days, mean block 10 days.',
        x: { label: 'day', scale: 'time' },
        y: { label: 'value of $1', unit: 'USD', scale: 'linear' },
        series: [
          {
            label: 'copy top 40',
            role: 'this',
            x: days,
            y: equity,
            low: equity.map((value, i) => round(value - 0.0012 * i)),
            high: equity.map((value, i) => round(value + 0.0012 * i)),
          },
          { label: 'copy all', role: 'baseline', x: days, y: walk(0.0003) },
        ],
      },
    },
  ];
  return list;
}

/** The model of a complete run. */
export function fullModel(size: { points?: number; trials?: number } = {}): ReportModel {
  const { points = 60, trials = 48 } = size;
  return {
    experiment: {
      name: 'copy-mtl',
      file: 'experiments/copy-mtl.yaml',
      question: 'Does following the wallets this network picks pay, after fees and 30 seconds of delay?',
      about:
        'Polymarket, 41.3 M trades of 214,000 wallets, 1 Nov 2024 to 31 Oct 2026; tested on the last 18 months, walked forward',
    },
    run: {
      id: 'r-7f3a91c2',
      startedAt: '2026-11-19T06:00:12Z',
      finishedAt: '2026-11-19T06:41:03Z',
      complete: true,
    },
    findings: [
      {
        stage: 'copy',
        verdict: 'probably',
        headline: 'Probably, if fast.',
        sentence:
          'Copying the 40 top-ranked wallets 30 s late earned +1.62 ¢ a share [0.41, 2.83] after fees; 40 random wallets of equal turnover, −0.09 ¢ [−0.76, 0.58].',
        metric: 'edge',
        estimate: { value: 1.62, low: 0.41, high: 2.83 },
        unit: '¢',
        n: 18_204,
        baseline: { label: 'random 40', value: -0.09, low: -0.76, high: 0.58 },
        decides:
          'It is the best of 48 configurations. At this Sharpe ratio 33.5 tested months would decide; there are 18.',
      },
      {
        stage: 'mtl',
        verdict: 'yes',
        headline: 'Yes.',
        sentence: 'The network ranks next month’s winners better than past edge alone.',
        metric: 'spearman',
        estimate: { value: 0.118, low: 0.061, high: 0.175 },
        n: 4210,
        baseline: { label: 'past edge', value: 0.052 },
      },
    ],
    checks: [
      {
        stage: 'splits',
        name: 'Time order',
        verdict: 'pass',
        detail: 'every training row ends before its test begins',
      },
      {
        stage: 'splits',
        name: 'Label overlap',
        verdict: 'pass',
        detail: 'purged by label span; 0 of 24,310 labels cross a boundary',
      },
      { stage: 'splits', name: 'Group overlap', verdict: 'undecided', detail: `2 events straddle a fold: ${HOSTILE}` },
    ],
    quality: [
      {
        stage: 'trades',
        source: 'polymarket fills',
        rowsRead: 84_600_112,
        rowsKept: 83_210_007,
        rejected: [
          { reason: 'price outside 0 to 1', count: 38_200, first: 'raw/fills-2025-02.parquet:118204' },
          { reason: 'token not in any market', count: 611_000, first: 'raw/fills-2024-11.parquet:7' },
          { reason: HOSTILE, count: 3, first: 'raw/a.csv:9' },
        ],
        duplicates: { count: 740_902, policy: 'drop exact' },
        totals: [
          { label: 'volume', keep: 412_345_678.12, dropExact: 409_120_001.5, unit: 'USD' },
          { label: 'fills', keep: 83_950_909, dropExact: 83_210_007, unit: '' },
        ],
        from: '2024-11-01T00:00:00Z',
        to: '2026-10-31T23:59:58Z',
        facts: [
          { label: 'Wallets', value: 214_000 },
          { label: 'Median delay of a fill', value: null, unit: 's', why: 'the source has no receive times' },
        ],
      },
    ],
    metrics: metrics(),
    figures: figures(points),
    sweeps: trials === 0 ? [] : [sweepOf(trials)],
    notes: [
      { stage: 'profiles', text: 'Wallets with fewer than 30 settled positions have no edge, and are left out.' },
    ],
    absent: [
      {
        stage: 'tfmtl',
        use: 'train.mtl',
        reason: 'engine tensorflow is not installed',
        fix: 'make tensorflow, then run again',
      },
    ],
    failed: [],
    stages: [
      {
        stage: 'trades',
        use: 'source.polymarket',
        engine: null,
        tasks: 1,
        done: 1,
        seconds: 182.3,
        peakMemoryMb: 1830,
      },
      {
        stage: 'splits',
        use: 'evaluation.walk-forward',
        engine: null,
        tasks: 1,
        done: 1,
        seconds: 2.1,
        peakMemoryMb: 240,
      },
      { stage: 'mtl', use: 'train.mtl', engine: 'wasm', tasks: 432, done: 432, seconds: 9120, peakMemoryMb: 310 },
      { stage: 'boost', use: 'train.boosting', engine: 'xgboost', tasks: 3, done: 3, seconds: 64, peakMemoryMb: null },
      { stage: 'tfmtl', use: 'train.mtl', engine: 'tensorflow', tasks: 3, done: 0, seconds: 0, peakMemoryMb: null },
    ],
    provenance: {
      command:
        'git checkout 3f9c1d7e && make sweep EXPERIMENT=experiments/copy-mtl.yaml ARGS="sweep.sampler.trials=48"',
      settings: [
        { key: 'seed', value: '42', origin: 'experiments/copy-mtl.yaml:2:7' },
        { key: 'mtl.epochs', value: '20', origin: 'command line' },
        { key: 'mtl.hidden', value: '[256,256,128]', origin: 'experiments/base.yaml:14:13' },
        { key: 'mtl.learningRate', value: '0.001', origin: 'default' },
        { key: 'title', value: HOSTILE, origin: 'experiments/copy-mtl.yaml:3:8' },
      ],
      versions: [
        { name: 'fathom', version: '0.1.0' },
        { name: 'node', version: '20.20.2' },
        { name: 'duckdb', version: '1.5.6' },
      ],
      hardware: [
        { name: 'CPU', value: 'AMD EPYC 9654, 2 of 96 cores' },
        { name: 'Memory', value: '8 GB' },
      ],
      hashes: [
        { name: 'lock file', hash: 'sha256 91be04c7a1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495ae20d' },
        { name: 'trades', hash: 'sha256 5ad2c8f1a1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a7b90' },
      ],
      git: { commit: '3f9c1d7e5b2a4c6d8e0f1a2b3c4d5e6f7a8b9c0d', dirty: false },
      slurm: [],
    },
  };
}

function metrics(): ReportModel['metrics'] {
  const list: ReportModel['metrics'][number][] = [];
  const add = (
    stage: string,
    name: string,
    label: string,
    goal: 'maximize' | 'minimize',
    value: number,
    half: number,
    base: number,
  ): void => {
    for (const set of ['validation', 'test'] as const) {
      const at = set === 'test' ? value : value + (goal === 'maximize' ? 0.01 : -0.01);
      const baseline = { label: 'past edge', value: base };
      list.push({
        stage,
        part: '',
        name,
        label,
        goal,
        set,
        value: round(at),
        low: round(at - half),
        high: round(at + half),
        n: 4210,
        clusters: 612,
        baseline,
      });
      for (const fold of [0, 1, 2]) {
        const moved = round(at + (fold - 1) * half * 0.6);
        list.push({ stage, part: `fold ${fold}`, name, label, goal, set, value: moved, n: 1403, baseline });
      }
    }
  };
  add('mtl', 'auc', 'Area under the ROC curve', 'maximize', 0.704, 0.018, 0.61);
  add('mtl', 'spearman', 'Rank correlation with next month', 'maximize', 0.118, 0.057, 0.052);
  add('mtl', 'brier', 'Brier score', 'minimize', 0.201, 0.006, 0.214);
  add('boost', 'auc', 'Area under the ROC curve', 'maximize', 0.692, 0.02, 0.61);
  add('boost', 'logLoss', 'Log loss', 'minimize', 0.598, 0.012, 0.604);
  list.push({
    stage: 'boost',
    part: '',
    name: 'r2',
    label: 'Explained variance',
    goal: 'maximize',
    set: 'test',
    value: null,
    why: 'the target is constant in two folds',
    n: 4210,
  });
  return list;
}

/** A run that broke: no finding, failed tasks, absent stages, half of the work done. */
export function brokenModel(): ReportModel {
  const whole = fullModel({ trials: 0 });
  return {
    ...whole,
    run: { ...whole.run, finishedAt: null, complete: false },
    findings: [],
    checks: [],
    metrics: [],
    figures: [],
    notes: [],
    failed: [
      { stage: 'mtl', part: 'fold 2', error: 'loss is not finite at epoch 3: lower mtl.learningRate' },
      { stage: 'boost', part: '', error: `child process ended with signal SIGSEGV ${HOSTILE}` },
    ],
    stages: whole.stages.map((stage) => ({ ...stage, done: Math.floor(stage.tasks / 2) })),
    provenance: { ...whole.provenance, git: { commit: null, dirty: false } },
  };
}
