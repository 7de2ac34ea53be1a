/**
 * From tables with roles to the frame that models learn from. Nothing here is fitted to the rows as a whole: scaling
 * belongs to training, on training rows. Ranks are taken within one date, and so knowable at it.
 */
import pl, { type DataFrame } from 'nodejs-polars';
import { FathomError } from '../errors.ts';
import { log } from '../numeric/elementary.ts';
import type { ColumnRole, ColumnSpec } from './columns.ts';
import { refuseNonFinite } from './finite.ts';
import { type Frame, type FrameColumn, numbersOf } from './frame.ts';
import { checkKey, frameColumn, type Relation, soleColumn, specOf } from './relation.ts';

export interface FrameOptions {
  /** Names of features; all columns of role feature if absent. */
  readonly features?: readonly string[] | undefined;
  /** Names of labels; all columns of role label if absent. */
  readonly labels?: readonly string[] | undefined;
  readonly log1p: readonly string[];
  readonly oneHot: readonly string[];
  /** Text that stays a feature, as codes of categories. */
  readonly categories?: readonly string[] | undefined;
  readonly quantileRanks: readonly string[];
  /** Bounds by column, applied before logarithms and ranks; null is no bound. */
  readonly clip: Readonly<Record<string, readonly [number | null, number | null]>>;
  /** Drops rows in which every label is missing. */
  readonly dropRowsWithoutLabel: boolean;
  /** Column that becomes the group; the id if absent. */
  readonly group?: string | undefined;
}

export interface FrameInputs {
  readonly table: Relation;
  /** Labels by the same id and time. */
  readonly targets?: Relation | undefined;
  /** Facts of the subjects by their id alone; carried for show, never as features. */
  readonly truth?: Relation | undefined;
}

export interface FrameResult {
  readonly frame: Frame;
  readonly rowsRead: number;
  readonly rowsWithoutLabel: number;
  /** Rows of the table that the targets say nothing of. */
  readonly rowsWithoutTarget: number;
}

/** Builds the frame: rows sorted by (time, id); id, time, group, labelEnd, weight, labels, features, then info. */
export function buildFrame(inputs: FrameInputs, options: FrameOptions): FrameResult {
  const joined = join(inputs);
  const { id, time } = joined;
  const relation = joined.relation;
  const features = options.features ?? namesOf(relation, 'feature');
  const labels = options.labels ?? namesOf(relation, 'label');
  if (features.length === 0)
    throw new FathomError('data', `the ${inputs.table.name} have no column of role feature`, {
      hint: 'name columns in `features`',
    });
  for (const name of features) {
    const { role } = specOf(relation, name, '`features`');
    if (role === 'label' || role === 'labelEnd')
      throw new FathomError('data', `"${name}" is a ${role}: as a feature it would give the answer away`);
  }
  for (const name of labels) specOf(relation, name, '`labels`');
  for (const key of ['log1p', 'oneHot', 'categories', 'quantileRanks'] as const)
    for (const name of options[key] ?? []) requireFeature(features, name, key);
  for (const name of Object.keys(options.clip)) requireFeature(features, name, 'clip');
  if (options.group !== undefined) specOf(relation, options.group, '`group`');

  let data = relation.data;
  for (const [name, bounds] of Object.entries(options.clip)) data = clipped(data, name, bounds);
  // After the bounds, which an infinity may be meant for, and before rows move, so that their numbers are the table's.
  const weights = namesOf(relation, 'weight');
  refuseNonFinite({ ...relation, data }, [...features, ...labels, ...weights], time === undefined ? [id] : [id, time]);
  const rowsRead = data.height;
  const unlabelled = labels.length === 0 ? 0 : data.filter(missing(labels)).height;
  if (options.dropRowsWithoutLabel && labels.length > 0) data = data.filter(missing(labels).not());
  if (data.height === 0) throw new FathomError('data', 'no row is left for the frame');
  data = withRanks(data, options.quantileRanks, time);
  data = data.sort(time === undefined ? [id] : [time, id]);

  const roleOf = roles(relation, { id, time, features, labels, group: options.group });
  const columns = relation.columns.flatMap((spec): FrameColumn[] => {
    const role = roleOf(spec);
    return role === undefined ? [] : [frameColumn(data.getColumn(spec.name), { ...spec, role })];
  });
  const made = columns.flatMap((column) => derived(column, data, options));
  const all = [...columns.map((column) => demoted(column, options)), ...made];
  if (options.group === undefined || options.group === id) all.push(groupOf(all, id));
  const frame: Frame = { rows: data.height, columns: inOrder(all) };
  for (const column of frame.columns)
    if (column.role === 'feature' && column.type === 'category' && options.categories?.includes(column.name) !== true)
      throw new FathomError('data', `feature "${column.name}" is text`, {
        hint: 'list it in oneHot, or in categories for trees, or leave it out of features',
      });
  for (const column of columns)
    if (column.type === 'number' && options.categories?.includes(column.name) === true)
      throw new FathomError('data', `\`categories\` names "${column.name}", which holds numbers, not text`);
  return { frame, rowsRead, rowsWithoutLabel: unlabelled, rowsWithoutTarget: joined.unmatched };
}

interface Joined {
  readonly relation: Relation;
  readonly id: string;
  readonly time: string | undefined;
  readonly unmatched: number;
}

function join({ table, targets, truth }: FrameInputs): Joined {
  const id = soleColumn(table, 'id');
  const time = soleColumn(table, 'time');
  if (id === undefined) throw new FathomError('data', `the ${table.name} have no column of role id`);
  const key = time === undefined ? [id] : [id, time];
  checkKey(table, key);
  let { data } = table;
  let columns = [...table.columns];
  let unmatched = 0;
  const take = (other: Relation, on: readonly string[], specs: readonly ColumnSpec[], right: DataFrame): void => {
    checkKey(other, on);
    for (const spec of specs)
      if (columns.some((c) => c.name === spec.name))
        throw new FathomError('data', `both the ${table.name} and the ${other.name} have a column "${spec.name}"`);
    data = data.join(right, { on: [...on], how: 'left' });
    columns = [...columns, ...specs];
  };
  if (targets !== undefined) {
    for (const name of key) specOf(targets, name, `the key of the ${table.name}`);
    unmatched = data.join(targets.data.select(...key), { on: key, how: 'anti' }).height;
    const specs = targets.columns.filter((spec) => !key.includes(spec.name));
    take(targets, key, specs, targets.data);
  }
  if (truth !== undefined) {
    specOf(truth, id, `the key of the ${table.name}`);
    const specs = truth.columns
      .filter((spec) => spec.name !== id)
      .map((spec): ColumnSpec => ({ ...spec, name: truthName(spec.name), role: 'info' }));
    const right = truth.data.rename(
      Object.fromEntries(truth.data.columns.filter((c) => c !== id).map((c) => [c, truthName(c)])),
    );
    take(truth, [id], specs, right);
  }
  return { relation: { name: table.name, data, columns }, id, time, unmatched };
}

const truthName = (name: string): string => `truth${name.charAt(0).toUpperCase()}${name.slice(1)}`;

const namesOf = (relation: Relation, role: ColumnRole): readonly string[] =>
  relation.columns.filter((column) => column.role === role).map((column) => column.name);

function requireFeature(features: readonly string[], name: string, key: string): void {
  if (!features.includes(name))
    throw new FathomError('data', `\`${key}\` names "${name}", which is no feature`, {
      hint: `features are ${features.join(', ')}`,
    });
}

function missing(labels: readonly string[]) {
  return labels.map((name) => pl.col(name).isNull()).reduce((all, one) => all.and(one));
}

function clipped(data: DataFrame, name: string, [low, high]: readonly [number | null, number | null]): DataFrame {
  // Comparisons with NaN and null are never true, so what is missing stays missing.
  let column = pl.col(name).cast(pl.Float64);
  if (low !== null) column = pl.when(column.lt(low)).then(pl.lit(low)).otherwise(column) as never;
  if (high !== null)
    column = pl
      .when((column as typeof column).gt(high).and(column.isNotNan()))
      .then(pl.lit(high))
      .otherwise(column) as never;
  return data.withColumns(column.alias(name));
}

const rankName = (name: string): string => `${name}Rank`;
const logName = (name: string): string => `${name}Log1p`;

/** Adds, for each name, the average rank and the number of known values among the rows of the same time. */
function withRanks(data: DataFrame, names: readonly string[], time: string | undefined): DataFrame {
  if (names.length === 0) return data;
  if (time === undefined)
    throw new FathomError('data', '`quantileRanks` needs a column of role time', {
      hint: 'ranks over all rows would let training rows know the others; leave it out',
    });
  return data.withColumns(
    ...names.flatMap((name) => {
      const known = pl.col(name).cast(pl.Float64);
      return [
        known.rank('average').over(time).alias(rankName(name)),
        known
          .count()
          .over(time)
          .alias(`${rankName(name)}Of`),
      ];
    }),
  );
}

/** (rank - 1/2) / n, in (0, 1): 1/2 for a row alone. Divided here: Polars multiplies by a rounded reciprocal. */
function rankColumn(data: DataFrame, feature: string): FrameColumn {
  const name = rankName(feature);
  const description = `Rank of ${feature} among the rows of the same time`;
  const spec = { name, role: 'feature', unit: 'quantile', description } as const;
  const rank = frameColumn(data.getColumn(name), spec);
  const count = numbersOf(frameColumn(data.getColumn(`${name}Of`), spec));
  return { ...spec, type: 'number', values: numbersOf(rank).map((r, i) => (r - 0.5) / (count[i] as number)) };
}

interface Choice {
  readonly id: string;
  readonly time: string | undefined;
  readonly features: readonly string[];
  readonly labels: readonly string[];
  readonly group: string | undefined;
}

/** The role of a column in the frame; undefined leaves it out. */
function roles(relation: Relation, choice: Choice): (spec: ColumnSpec) => ColumnRole | undefined {
  const labelEnd = soleColumn(relation, 'labelEnd');
  return ({ name, role }) => {
    if (name === choice.id) return 'id';
    if (name === choice.time) return 'time';
    if (name === choice.group) return 'group';
    if (name === labelEnd) return choice.labels.length > 0 ? 'labelEnd' : undefined;
    if (choice.labels.includes(name)) return 'label';
    if (choice.features.includes(name)) return 'feature';
    // A label that nobody asked for is knowledge of the future: it is not carried along.
    if (role === 'label') return undefined;
    return role === 'weight' ? 'weight' : 'info';
  };
}

/** Columns made from one feature. */
function derived(column: FrameColumn, data: DataFrame, options: FrameOptions): FrameColumn[] {
  if (column.role !== 'feature') return [];
  const made: FrameColumn[] = [];
  const { name } = column;
  const unit = column.unit === undefined ? {} : { unit: `log1p(${column.unit})` };
  if (options.log1p.includes(name)) {
    if (column.type !== 'number') throw new FathomError('data', `\`log1p\` names "${name}", which is text`);
    const description = `sign(x) log(1 + |x|) of ${name}`;
    made.push({
      name: logName(name),
      role: 'feature',
      ...unit,
      description,
      type: 'number',
      values: column.values.map(signedLog1p),
    });
  }
  if (options.quantileRanks.includes(name)) made.push(rankColumn(data, name));
  if (options.oneHot.includes(name)) made.push(...oneHotOf(column));
  return made;
}

function oneHotOf(column: FrameColumn): FrameColumn[] {
  const { name } = column;
  const text = (i: number): string | undefined => {
    if (column.type === 'category') return column.labels[column.codes[i] as number];
    return Number.isNaN(column.values[i]) ? undefined : String(column.values[i]);
  };
  const rows = column.type === 'category' ? column.codes.length : column.values.length;
  const texts = Array.from({ length: rows }, (_, i) => text(i));
  const levels = [...new Set(texts)].filter((level) => level !== undefined).sort((a, b) => (a < b ? -1 : 1));
  if (levels.length > 100)
    throw new FathomError('data', `\`oneHot\` of "${name}" would make ${levels.length} columns; 100 is the most`);
  return levels.map((level) => ({
    name: `${name}=${level}`,
    role: 'feature',
    unit: 'indicator',
    description: `1 where ${name} is ${level}; 0 where it is another or missing`,
    type: 'number',
    values: Float64Array.from(texts, (value) => Number(value === level)),
  }));
}

/** What a feature was made into takes its place; it stays to be shown. */
function demoted(column: FrameColumn, options: FrameOptions): FrameColumn {
  const replaced = [options.log1p, options.quantileRanks, options.oneHot].some((names) => names.includes(column.name));
  return replaced && column.role === 'feature' ? { ...column, role: 'info' } : column;
}

/** sign(x) log(1 + |x|), exact for small x (Kahan's correction), with equal bits on every machine. */
export function signedLog1p(x: number): number {
  const size = Math.abs(x);
  const sum = 1 + size;
  const value = sum === 1 ? size : (log(sum) * size) / (sum - 1);
  return x < 0 ? -value : value;
}

function groupOf(columns: readonly FrameColumn[], id: string): FrameColumn {
  const column = columns.find((c) => c.name === id) as FrameColumn;
  if (columns.some((c) => c.name === 'group'))
    throw new FathomError('data', 'a column is called "group" already', { hint: 'name it in `group`, or rename it' });
  return { ...column, name: 'group', role: 'group', description: `What must not be split across folds: ${id}` };
}

const order: readonly ColumnRole[] = ['id', 'time', 'group', 'labelEnd', 'weight', 'label', 'feature', 'info'];

function inOrder(columns: readonly FrameColumn[]): readonly FrameColumn[] {
  return order.flatMap((role) => columns.filter((column) => column.role === role));
}
