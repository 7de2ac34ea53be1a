/** Test predictions of several models, pooled over folds into columns per model and target. */
import { FathomError } from '../errors.ts';
import { timeBlocks } from './sampling.ts';

/** The predictions of one model as they are stored, of any number of folds. */
export interface PredictionTable {
  readonly model: string;
  readonly file: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Test rows of one model and target in ascending order of `key`, which names (fold, row of the frame). */
export interface ModelRows {
  readonly model: string;
  /** As stored: `name=class` for one class of several. */
  readonly target: string;
  readonly key: Float64Array;
  readonly fold: Int32Array;
  /** The wallet or event, or the row itself where there is none. */
  readonly cluster: readonly string[];
  /** Stretch of time (see sampling.ts), numbered alike for all models and targets; where all rows carry time. */
  readonly block?: Int32Array;
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly baseline: Float64Array;
  readonly baselineLabel: string;
}

export interface Pooled {
  /** By target in order of first appearance, models in the order given. */
  readonly rows: readonly ModelRows[];
  /** Test rows left out because what happened is not known. */
  readonly unlabelled: number;
}

interface Building {
  readonly model: string;
  readonly target: string;
  readonly entries: {
    key: number;
    fold: number;
    cluster: string;
    time: number;
    labelEnd: number;
    actual: number;
    predicted: number;
    baseline: number;
  }[];
  readonly labels: Set<string>;
}

const ROWS = 2 ** 32;

/** Takes the rows of the set `test`; a prediction that is not a number, or one given twice, is refused. */
export function poolTestRows(tables: readonly PredictionTable[]): Pooled {
  const building = new Map<string, Building>();
  let unlabelled = 0;
  for (const table of tables) {
    table.rows.forEach((row, at) => {
      if (row['set'] !== 'test') return;
      const number = (name: string): number => {
        const value = row[name];
        if (typeof value === 'number' && Number.isFinite(value)) return value;
        throw new FathomError('data', `${table.file}: row ${at} has ${name} ${String(value)}`, {
          hint: 'predictions need finite numbers in row, fold, predicted and baseline',
        });
      };
      if (row['actual'] === null || row['actual'] === undefined) {
        unlabelled++;
        return;
      }
      const target = String(row['target']);
      const name = JSON.stringify([target, table.model]);
      let entry = building.get(name);
      if (entry === undefined) {
        entry = { model: table.model, target, entries: [], labels: new Set() };
        building.set(name, entry);
      }
      const key = number('fold') * ROWS + number('row');
      entry.entries.push({
        key,
        fold: number('fold'),
        cluster: String(row['group'] || row['id'] || number('row')),
        time: millisecondsOf(row['time']),
        labelEnd: millisecondsOf(row['labelEnd']),
        actual: number('actual'),
        predicted: number('predicted'),
        baseline: number('baseline'),
      });
      entry.labels.add(String(row['baselineLabel'] ?? 'baseline'));
    });
  }
  const every = [...building.values()].flatMap((entry) => entry.entries);
  const blocks = timeBlocks(
    every.map(({ time }) => time),
    every.map(({ labelEnd }) => labelEnd),
  );
  const blockOf = blocks && new Map(every.map(({ time }, i) => [time, blocks.of[i] as number]));
  const targets = [...new Set([...building.values()].map((entry) => entry.target))];
  const models = [...new Set(tables.map((table) => table.model))];
  const rows = targets.flatMap((target) =>
    models.flatMap((model) => {
      const entry = building.get(JSON.stringify([target, model]));
      return entry === undefined ? [] : [columnsOf(entry, blockOf)];
    }),
  );
  return { rows, unlabelled };
}

/** NaN where there is none. */
function millisecondsOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : NaN;
}

function columnsOf(
  { model, target, entries, labels }: Building,
  blockOf: ReadonlyMap<number, number> | undefined,
): ModelRows {
  entries.sort((a, b) => a.key - b.key);
  entries.forEach((entry, i) => {
    if (entry.key === entries[i + 1]?.key)
      throw new FathomError(
        'data',
        `${model} predicts ${target} twice for row ${entry.key % ROWS} of fold ${entry.fold}`,
        {
          hint: 'connect the predictions of each model once; trials and replicates count as models of their own',
        },
      );
  });
  return {
    model,
    target,
    key: Float64Array.from(entries, (entry) => entry.key),
    fold: Int32Array.from(entries, (entry) => entry.fold),
    cluster: entries.map((entry) => entry.cluster),
    ...(blockOf === undefined ? {} : { block: Int32Array.from(entries, ({ time }) => blockOf.get(time) as number) }),
    actual: Float64Array.from(entries, (entry) => entry.actual),
    predicted: Float64Array.from(entries, (entry) => entry.predicted),
    baseline: Float64Array.from(entries, (entry) => entry.baseline),
    baselineLabel: labels.size === 1 ? ([...labels][0] as string) : 'baseline',
  };
}

/** One model on one target: the rows of a plain target, or of each class of a multiclass one. */
export interface ModelTarget {
  readonly model: string;
  readonly target: string;
  readonly kind: 'binary' | 'regression' | 'multiclass';
  /** One entry for a plain target. */
  readonly classes: readonly { readonly name: string; readonly rows: ModelRows }[];
}

/** Gathers `name=class` targets, and tells probabilities of a 0/1 outcome from other numbers. */
export function targetsOf(pooled: Pooled): Map<string, ModelTarget[]> {
  const byName = new Map<string, Map<string, ModelRows[]>>();
  for (const rows of pooled.rows) {
    const name = nameOf(rows.target);
    let byModel = byName.get(name);
    if (byModel === undefined) {
      byModel = new Map();
      byName.set(name, byModel);
    }
    byModel.set(rows.model, [...(byModel.get(rows.model) ?? []), rows]);
  }
  return new Map(
    [...byName].map(([target, byModel]) => {
      const all = [...byModel.values()].flat();
      const multiclass = all.some((rows) => rows.target !== target);
      const kind = multiclass ? 'multiclass' : all.every(isProbability) ? 'binary' : 'regression';
      const models = [...byModel].map(([model, list]): ModelTarget => {
        const classes = list
          .map((rows) => ({ name: rows.target.slice(target.length + 1), rows }))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
        const first = classes[0]?.rows.key ?? new Float64Array(0);
        for (const { rows } of classes)
          if (!sameKeys(rows.key, first))
            throw new FathomError('data', `${model} predicts the classes of ${target} for different rows`, {
              hint: 'each test row needs one prediction for every class',
            });
        return { model, target, kind, classes };
      });
      return [target, models];
    }),
  );
}

/** The target a class belongs to: `wallet=whale` is a class of `wallet`. */
function nameOf(target: string): string {
  const at = target.indexOf('=');
  return at < 0 ? target : target.slice(0, at);
}

function isProbability({ actual, predicted, baseline }: ModelRows): boolean {
  const inRange = (p: number): boolean => p >= 0 && p <= 1;
  return actual.every((y) => y === 0 || y === 1) && predicted.every(inRange) && baseline.every(inRange);
}

export function sameKeys(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((key, i) => key === b[i]);
}

/** The class with the highest prediction for each row; the first one of equals. */
export function likeliestClass(classes: readonly { readonly values: Float64Array }[]): Int32Array {
  return Int32Array.from(classes[0]?.values ?? [], (_, row) => {
    let best = 0;
    classes.forEach(({ values }, c) => {
      if ((values[row] as number) > (classes[best]?.values[row] as number)) best = c;
    });
    return best;
  });
}
