/** A saved model: what it says of itself, and the checks before it predicts other rows. */
import { z } from 'zod';
import { FathomError } from '../../errors.ts';
import { columnNamed, type Frame } from '../../tables/frame.ts';
import { Booster } from './booster.ts';
import { type Features, readFeatures } from './features.ts';
import type { Target } from './fold.ts';
import type { Xgboost } from './xgboost-c.ts';

/** Attribute of the model that holds its card. XGBoost keeps attributes it does not know. */
const ATTRIBUTE = 'fathom';
const VERSION = 1;
const SAME_STAGES = 'make the frame by the same stages as the one that the model was trained on';
const OUR_MODELS = 'connect the model of train.boosting or train.forest';

const cardSchema = z.object({
  version: z.literal(VERSION),
  kind: z.enum(['boosting', 'forest']),
  target: z.string(),
  objective: z.enum(['binary', 'regression', 'multiclass', 'ranking']),
  classes: z.array(z.string()).default([]),
  features: z.array(
    z.object({ name: z.string(), unit: z.string().optional(), categories: z.array(z.string()).optional() }),
  ),
});

/** What a model needs to be read by itself. */
export type ModelCard = z.infer<typeof cardSchema>;

export function writeCard(booster: Booster, kind: ModelCard['kind'], target: Target, features: Features): void {
  const card: Omit<ModelCard, 'classes'> & { classes?: readonly string[] } = {
    version: VERSION,
    kind,
    target: target.name,
    objective: target.objective,
    ...(target.objective === 'multiclass' ? { classes: target.classes } : {}),
    features: features.names.map((name, f) => ({
      name,
      ...(features.units[f] === undefined ? {} : { unit: features.units[f] }),
      ...(features.labels[f] === undefined ? {} : { categories: [...features.labels[f]] }),
    })),
  };
  booster.setAttribute(ATTRIBUTE, JSON.stringify(card));
}

/**
 * Opens a model that a stage has saved. Refused, each with its reason: a file that was cut off, a model of a younger
 * XGBoost than the library, and one whose card is missing or of another version. The caller frees the booster.
 *
 * @param where the file, for messages
 */
export function openModel(xgboost: Xgboost, bytes: Uint8Array, where: string): { booster: Booster; card: ModelCard } {
  const ours = xgboost.version.split('.').map(Number);
  const [major = 0, minor = 0] = versionIn(bytes, where);
  if (major > (ours[0] ?? 0) || (major === ours[0] && minor > (ours[1] ?? 0)))
    throw new FathomError(
      'data',
      `${where} was saved by XGBoost ${major}.${minor}; the library here is ${xgboost.version}`,
      { hint: 'install a library at least as new as the model: `make native XGBOOST_VERSION=...`' },
    );
  const booster = Booster.load(xgboost, bytes);
  try {
    const text = booster.attribute(ATTRIBUTE);
    if (text === undefined)
      throw new FathomError('data', `${where} does not say what its features are: no stage of ours saved it`, {
        hint: OUR_MODELS,
      });
    const card = cardSchema.safeParse(JSON.parse(text));
    if (!card.success)
      throw new FathomError('data', `${where} describes itself in another version than ${VERSION}`, {
        hint: 'train it again with this version',
      });
    return { booster, card: card.data };
  } catch (error) {
    booster.free();
    throw error;
  }
}

function versionIn(bytes: Uint8Array, where: string): number[] {
  let model: { version?: number[]; learner?: unknown };
  try {
    model = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as typeof model;
  } catch (error) {
    throw new FathomError('data', `${where} is not a whole model: its JSON ends early or is damaged`, {
      hint: 'copy it again from the artifact that the stage left, or train it again',
      cause: error,
    });
  }
  if (model?.learner === undefined || !Array.isArray(model.version))
    throw new FathomError('data', `${where} is JSON, but no model of XGBoost's`, {
      hint: OUR_MODELS,
    });
  return model.version;
}

/**
 * The features of a frame in the order of the model, categories by the model's codes. A frame with other features,
 * units or types is refused.
 *
 * @returns also how many values were of a category that the model has not seen; they count as missing
 */
export function featuresFor(card: ModelCard, frame: Frame): { features: Features; unseen: number } {
  const there = readFeatures(frame);
  const missing = card.features.filter(({ name }) => !there.names.includes(name)).map(({ name }) => name);
  const extra = there.names.filter((name) => !card.features.some((feature) => feature.name === name));
  if (missing.length > 0 || extra.length > 0)
    throw new FathomError('data', `the frame does not have the features of the model: ${differences(missing, extra)}`, {
      hint: SAME_STAGES,
    });
  let unseen = 0;
  const columns = card.features.map(({ name, unit, categories }) => {
    const column = columnNamed(frame, name);
    if (column.unit !== unit)
      throw new FathomError(
        'data',
        `feature "${name}" is in ${column.unit ?? 'no unit'}; the model was trained on ${unit ?? 'no unit'}`,
        { hint: SAME_STAGES },
      );
    if ((column.type === 'category') !== (categories !== undefined))
      throw new FathomError(
        'data',
        `feature "${name}" holds ${column.type === 'category' ? 'categories' : 'numbers'}; the model was trained on ${categories === undefined ? 'numbers' : 'categories'}`,
        { hint: SAME_STAGES },
      );
    if (column.type === 'number') return column.values;
    const codes = column.labels.map((label) => categories?.indexOf(label) ?? -1);
    return column.codes.map((code) => {
      const known = code < 0 ? -1 : (codes[code] as number);
      if (code >= 0 && known < 0) unseen++;
      return known;
    });
  });
  return {
    unseen,
    features: {
      names: card.features.map(({ name }) => name),
      units: card.features.map(({ unit }) => unit),
      labels: card.features.map(({ categories }) => categories),
      columns,
    },
  };
}

function differences(missing: readonly string[], extra: readonly string[]): string {
  const list = (names: readonly string[]): string =>
    names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  return [
    ...(missing.length === 0 ? [] : [`it lacks ${list(missing)}`]),
    ...(extra.length === 0 ? [] : [`it adds ${list(extra)}`]),
  ].join('; ');
}

/** Rounds that predictions use: those up to the best one, or all (0). */
export function roundsOf(booster: Booster): number {
  const best = booster.attribute('best_iteration');
  return best === undefined ? 0 : Number(best) + 1;
}

/**
 * What a model says in its own words: probabilities, numbers or scores. The shares of votes of a forest may leave
 * [0, 1] by rounding, and those of several classes come from a forest a class; they are brought back, and to a sum of 1.
 */
export function finished(
  card: Pick<ModelCard, 'kind' | 'objective'>,
  values: Float32Array,
  classes: number,
): Float32Array {
  if (card.kind !== 'forest' || card.objective === 'regression') return values;
  const shares = values.map((value) => Math.min(1, Math.max(0, value)));
  for (let at = 0; classes > 1 && at < shares.length; at += classes) {
    const row = shares.subarray(at, at + classes);
    const sum = row.reduce((a, b) => a + b, 0);
    for (let k = 0; k < classes; k++) row[k] = sum === 0 ? 1 / classes : (row[k] as number) / sum;
  }
  return shares;
}
