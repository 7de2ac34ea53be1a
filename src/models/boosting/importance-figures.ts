/** Pictures of which features a trained ensemble uses, by several measures: they answer different questions. */
import type { BarsFigure, Figure } from '../../contract/figure.ts';
import type { Booster, Importance } from './booster.ts';
import type { PermutationImportance, ShapImportance } from './importance.ts';

const MOST_BARS = 30;
const METHOD = 'Importance of features';

export interface ImportanceOptions {
  readonly booster: Booster;
  readonly names: readonly string[];
  readonly target: string;
  readonly fold: number;
  /** On held-out rows; left out while a sweep is still choosing, and where there are no such rows. */
  readonly heldOut?: HeldOutImportance | undefined;
}

export interface HeldOutImportance {
  /** As shown: "test". */
  readonly set: string;
  readonly rows: number;
  readonly lossName: string;
  readonly repeats: number;
  readonly permutation: PermutationImportance;
  readonly shapRows: number;
  /** What margins are measured in: "log odds". */
  readonly marginUnit: string;
  readonly shap: ShapImportance;
}

/** Bars of the gain, of permutations and of SHAP values, and, for the first fold, a table of all measures. */
export function importanceFigures(options: ImportanceOptions): Figure[] {
  const { booster, target, fold, heldOut } = options;
  const by = (kind: Importance): Map<string, number> => booster.importance(kind);
  const [total, gain, cover, splits] = [by('total_gain'), by('gain'), by('cover'), by('weight')];
  const sum = [...total.values()].reduce((a, b) => a + b, 0);
  const shares = new Map([...total].map(([name, value]) => [name, (100 * value) / sum]));
  return [
    {
      ...barsOf('importance', shares, '%'),
      title: titleOf(
        shares,
        (name, value) => `${name} brings ${value.toFixed(0)} % of what the trees for ${target} learn`,
        target,
      ),
      subtitle: `Share of the total gain in %, fold ${fold}, ${Math.min(MOST_BARS, shares.size)} of ${shares.size} features that are used`,
      caption:
        'Gain: reduction of the training loss by the splits on a feature. It says what the trees used, not what causes the target, and correlated features share it by chance.',
      bars: rank(shares).map(([name, value]) => ({
        label: name,
        role: 'this',
        value,
        note: `mean gain ${short(gain.get(name))}, mean cover ${short(cover.get(name))}, ${splits.get(name)} splits`,
      })),
    },
    ...(heldOut === undefined ? [] : [permutationBars(heldOut, target, fold), shapBars(heldOut, target, fold)]),
    // The folds' bars stand side by side; of the table one is enough.
    ...(fold > 0 ? [] : [table(options, shares, gain, cover, splits)]),
  ];
}

function table(
  { names, target, fold, heldOut }: ImportanceOptions,
  shares: ReadonlyMap<string, number>,
  gain: ReadonlyMap<string, number>,
  cover: ReadonlyMap<string, number>,
  splits: ReadonlyMap<string, number>,
): Figure {
  return {
    kind: 'table',
    id: 'importance-table',
    section: 'models',
    method: METHOD,
    title: `Which features ${target} hangs on, by each measure`,
    subtitle: `Fold ${fold}, all ${names.length} features`,
    caption:
      'Gain, cover and splits are counted while training; permutation and SHAP are measured on held-out rows. Where they disagree, believe the held-out rows.',
    columns: [
      { name: 'Feature', align: 'left' },
      { name: 'Share of gain', unit: '%', align: 'right' },
      { name: 'Mean gain', align: 'right' },
      { name: 'Mean cover', align: 'right' },
      { name: 'Splits', align: 'right' },
      ...(heldOut === undefined
        ? []
        : [
            { name: `Permuted: rise of ${heldOut.lossName}`, align: 'right' as const },
            { name: 'Its standard deviation', align: 'right' as const },
            { name: 'Mean |SHAP|', unit: heldOut.marginUnit, align: 'right' as const },
          ]),
    ],
    rows: names.map((name) => {
      const rises = heldOut?.permutation.rises.get(name);
      return [
        name,
        shares.get(name) ?? 0,
        gain.get(name) ?? null,
        cover.get(name) ?? null,
        splits.get(name) ?? 0,
        ...(heldOut === undefined || rises === undefined
          ? []
          : [mean(rises), deviation(rises), heldOut.shap.mean.get(name) ?? null]),
      ];
    }),
  };
}

function permutationBars(heldOut: HeldOutImportance, target: string, fold: number): Figure {
  const { permutation, lossName, set, rows, repeats } = heldOut;
  const means = new Map([...permutation.rises].map(([name, rises]) => [name, mean(rises)]));
  return {
    ...barsOf('importance-permutation', means, lossName),
    title: titleOf(means, (name) => `Without knowing ${name}, predictions of ${target} lose most`, target),
    subtitle: `Rise of the ${lossName} when a feature is shuffled, fold ${fold}, ${rows} ${set} rows`,
    caption: `Mean of ${repeats} shuffles, with one standard deviation over shuffles each way; the ${lossName} unshuffled is ${short(permutation.loss)}. A feature whose twin is also there loses little, and below 0 is noise.`,
    bars: rank(means).map(([name, value]) => {
      const spread = deviation(permutation.rises.get(name) ?? []);
      return {
        label: name,
        role: 'this',
        value,
        low: spread === null ? null : value - spread,
        high: spread === null ? null : value + spread,
      };
    }),
  };
}

function shapBars(heldOut: HeldOutImportance, target: string, fold: number): Figure {
  const { shap, shapRows, set, marginUnit } = heldOut;
  return {
    ...barsOf('importance-shap', shap.mean, marginUnit),
    title: titleOf(shap.mean, (name) => `${name} moves predictions of ${target} most`, target),
    subtitle: `Mean |SHAP value| in ${marginUnit}, fold ${fold}, ${shapRows} ${set} rows`,
    caption: `Exact TreeSHAP values by XGBoost; with the bias they sum to each row's margin, here to within ${shap.error.toExponential(0)}. They say what moves the prediction, right or wrong.`,
  };
}

function barsOf(id: string, values: ReadonlyMap<string, number>, unit: string): BarsFigure {
  const bars = rank(values).map(([label, value]) => ({ label, role: 'this' as const, value }));
  return { kind: 'bars', id, section: 'models', method: METHOD, title: '', subtitle: '', caption: '', unit, bars };
}

/** The largest, names deciding between equals. */
function rank(values: ReadonlyMap<string, number>): [string, number][] {
  return [...values].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_BARS);
}

function titleOf(
  values: ReadonlyMap<string, number>,
  say: (name: string, value: number) => string,
  target: string,
): string {
  const [first] = rank(values);
  return first === undefined || first[1] <= 0 ? `No tree for ${target} makes use of any feature` : say(...first);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation (n - 1); null below two values. */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

function short(value: number | undefined): string {
  return value === undefined ? 'unknown' : String(Number(value.toPrecision(3)));
}
