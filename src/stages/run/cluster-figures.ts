/** Figures of clusters: how many, what they are like, how they lie to what is known. */
import type { BarsFigure, HeatmapFigure, LineFigure, TableFigure } from '../../contract/figure.ts';
import { quantile } from '../../evaluation/bootstrap.ts';
import type { Candidate } from '../../models/clusters/choose-k.ts';
import { shown, subtitleOf, type Taken, type Truth } from './grouping.ts';

const METHOD = { section: 'wallets', method: 'Clusters' } as const;

export function clusterName(cluster: number): string {
  return cluster < 0 ? 'noise' : `cluster ${cluster}`;
}

/** Silhouette and stability by k, and the inertia that is left. */
export function choiceFigures(
  taken: Taken,
  list: readonly Candidate[],
  chosen: Candidate,
  auto: boolean,
): LineFigure[] {
  const ks = list.map(({ clustering }) => clustering.k);
  const whole = list[0]?.clustering;
  if (whole === undefined || ks.length < 2) return [];
  const x = { label: 'clusters k', scale: 'linear' } as const;
  const line = (
    label: string,
    role: 'this' | 'other',
    of: (one: Candidate) => number,
  ): LineFigure['series'][number] => ({
    label,
    role,
    x: ks,
    y: list.map((one) => shown(of(one))),
  });
  const { k } = chosen.clustering;
  return [
    {
      ...METHOD,
      kind: 'line',
      id: 'k-choice',
      title: auto ? `${k} clusters are the most apart` : `${k} clusters were asked for: are they apart, and stable?`,
      subtitle: `Mean silhouette, and mean adjusted Rand index between fits; ${subtitleOf(taken)}`,
      caption:
        'Silhouette: (b − a) / max(a, b), mean over rows. Stability: agreement with the clusters that k-means finds ' +
        'without a fifth of the subjects. Near 1 the clusters come again; neither shows that they mean anything.',
      x,
      y: { label: 'silhouette, stability', scale: 'linear' },
      reference: 'zero',
      series: [
        line('silhouette', 'this', ({ silhouette }) => silhouette),
        line('stability', 'other', ({ stability }) => stability),
      ],
    },
    {
      ...METHOD,
      kind: 'line',
      id: 'elbow',
      title: 'How much closer do rows lie with one more centre?',
      subtitle: `Inertia, the sum of squared distances to the nearest centre; ${subtitleOf(taken)}`,
      caption: 'It falls with every centre; a bend shows where more of them stop paying.',
      x,
      y: { label: 'inertia', scale: 'linear', min: 0 },
      series: [line('inertia', 'this', ({ clustering }) => clustering.inertia)],
    },
  ];
}

/** @param labels cluster of each row taken, -1 for noise */
export function sizesFigure(taken: Taken, labels: Int32Array): BarsFigure {
  const present = [...new Set(labels)].sort((a, b) => a - b);
  return {
    ...METHOD,
    kind: 'bars',
    id: 'cluster-sizes',
    title: `How many ${taken.noun} are in each cluster?`,
    subtitle: subtitleOf(taken),
    caption: 'Clusters are numbered by the method; the numbers carry no meaning from run to run.',
    unit: taken.noun,
    bars: present.map((cluster) => ({
      label: clusterName(cluster),
      role: cluster < 0 ? 'other' : 'this',
      value: labels.filter((label) => label === cluster).length,
    })),
  };
}

/** Mean of each standardised feature in each cluster: standard deviations from the mean of all rows. */
export function centresFigure(taken: Taken, labels: Int32Array): HeatmapFigure {
  const { features, means, deviations } = taken.space;
  const { values, columns } = taken.selection.matrix;
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const cell = (cluster: number, c: number): number | null => {
    let sum = 0;
    let n = 0;
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] !== cluster) continue;
      sum += values[i * columns + c] as number;
      n++;
    }
    const deviation = deviations[c] as number;
    return deviation > 0 ? shown((sum / n - (means[c] as number)) / deviation) : 0;
  };
  return {
    ...METHOD,
    kind: 'heatmap',
    id: 'cluster-centres',
    title: 'What sets the clusters apart?',
    subtitle: `Standard deviations from the mean of all ${taken.noun}; ${subtitleOf(taken)}`,
    caption:
      'Mean of each feature over the rows of a cluster, less the mean of all, over the standard deviation of all.',
    rowTitle: 'cluster',
    columnTitle: 'feature',
    rows: present.map(clusterName),
    columns: features,
    values: present.map((cluster) => features.map((_, c) => cell(cluster, c))),
    unit: 'standard deviations',
  };
}

/** Medians in the units of the features, missing values left out. */
export function mediansFigure(taken: Taken, labels: Int32Array): TableFigure {
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const { rows } = taken.selection;
  const median = (cluster: number, c: number): number | null => {
    const column = taken.columns[c];
    if (column?.type !== 'number') return null;
    const known: number[] = [];
    for (let i = 0; i < labels.length; i++) {
      const value = column.values[rows[i] as number] as number;
      if (labels[i] === cluster && !Number.isNaN(value)) known.push(value);
    }
    return shown(quantile(Float64Array.from(known).sort(), 0.5));
  };
  return {
    ...METHOD,
    kind: 'table',
    id: 'cluster-medians',
    title: 'What is typical of each cluster?',
    subtitle: `Median of each feature in its own unit; ${subtitleOf(taken)}`,
    caption: 'Medians over the rows of a cluster; missing values are left out.',
    columns: [
      { name: 'cluster', align: 'left' },
      { name: taken.noun, align: 'right' },
      ...taken.columns.map(({ name, unit }) => ({
        name,
        ...(unit === undefined ? {} : { unit }),
        align: 'right' as const,
      })),
    ],
    rows: present.map((cluster) => [
      clusterName(cluster),
      labels.filter((label) => label === cluster).length,
      ...taken.columns.map((_, c) => median(cluster, c)),
    ]),
  };
}

/** Counts of each known kind in each cluster. */
export function truthFigure(taken: Taken, labels: Int32Array, truth: Truth, agreement: string): HeatmapFigure {
  const present = [...new Set(labels)].sort((a, b) => a - b);
  return {
    ...METHOD,
    kind: 'heatmap',
    id: 'clusters-truth',
    title: `Do the clusters match ${truth.name}?`,
    subtitle: `Number of ${taken.noun}; ${agreement}`,
    caption: `${truth.name} was not used to find the clusters.`,
    rowTitle: truth.name,
    columnTitle: 'cluster',
    rows: truth.labels,
    columns: present.map(clusterName),
    values: truth.labels.map((_, code) =>
      present.map((cluster) => truth.codes.filter((one, i) => one === code && labels[i] === cluster).length),
    ),
    unit: taken.noun,
  };
}
