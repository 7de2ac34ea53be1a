/** A boosted ensemble of trees: rounds, predictions, importance, and its JSON form. */
import { FathomError } from '../../errors.ts';
import type { Matrix } from './matrix.ts';
import { copyBytes, copyFloats, copySizes, copyStrings, type Handle, outOf, type Xgboost } from './xgboost-c.ts';

/** XGBoost's parameters by the names of its documentation. */
export type Parameters = Readonly<Record<string, string | number>>;

/** `gain`: mean reduction of the loss by splits on a feature. `cover`: mean weight of the rows that they split. */
export type Importance = 'gain' | 'cover' | 'weight' | 'total_gain' | 'total_cover';

/** What to predict, and XGBoost's number for it. */
const predictionTypes = { values: 0, margins: 1, contributions: 2 } as const;
export type Prediction = keyof typeof predictionTypes;

/** A Booster. `free` it: its memory is outside of JavaScript. */
export class Booster {
  readonly #xgboost: Xgboost;
  readonly #handle: Handle;
  /** Emptied when it is freed. */
  readonly #owned: Handle[];

  private constructor(xgboost: Xgboost, handle: Handle) {
    this.#xgboost = xgboost;
    this.#handle = handle;
    this.#owned = [handle];
  }

  /** @param matrices those that it will train on or evaluate: XGBoost keeps their predictions from round to round */
  static create(xgboost: Xgboost, parameters: Parameters, matrices: readonly Matrix[]): Booster {
    const out: [Handle | null] = [null];
    const handles = matrices.map((matrix) => matrix.handle);
    xgboost.check(xgboost.c.boosterCreate(handles, handles.length, out), 'to make a booster');
    const booster = new Booster(xgboost, outOf(out));
    try {
      for (const [name, value] of Object.entries(parameters)) booster.setParameter(name, value);
      for (const [field, texts] of [
        ['feature_name', matrices[0]?.featureNames],
        ['feature_type', matrices[0]?.featureTypes],
      ] as const)
        if (texts !== undefined)
          xgboost.check(
            xgboost.c.boosterSetNames(booster.#handle, field, texts, texts.length),
            `to take the ${field}s`,
          );
    } catch (error) {
      booster.free();
      throw error;
    }
    return booster;
  }

  /**
   * From the bytes that `toJson` gave, or that any XGBoost saved as JSON or UBJSON. Parameters and matrices are for
   * boosting it further: a saved model keeps neither.
   */
  static load(
    xgboost: Xgboost,
    bytes: Uint8Array,
    parameters: Parameters = {},
    matrices: readonly Matrix[] = [],
  ): Booster {
    const booster = Booster.create(xgboost, {}, matrices);
    try {
      xgboost.check(xgboost.c.boosterLoad(booster.#handle, bytes, bytes.length), 'to read a model');
      for (const [name, value] of Object.entries(parameters)) booster.setParameter(name, value);
    } catch (error) {
      booster.free();
      throw error;
    }
    return booster;
  }

  setParameter(name: string, value: string | number): void {
    const { c, check } = this.#xgboost;
    check(c.boosterSetParameter(this.#handle, name, String(value)), `to set ${name} to ${value}`);
  }

  /** Boosts one more round, numbered from 0. */
  update(round: number, training: Matrix): void {
    const { c, check } = this.#xgboost;
    check(c.boosterUpdate(this.#handle, round, training.handle), `in round ${round + 1}`);
  }

  /** The loss on each matrix, in their order, as XGBoost prints it. */
  evaluate(round: number, matrices: readonly Matrix[]): number[] {
    const { c, check } = this.#xgboost;
    const out: [string | null] = [null];
    const names = matrices.map((_, i) => `m${i}`);
    const handles = matrices.map((matrix) => matrix.handle);
    check(c.boosterEvaluate(this.#handle, round, handles, names, names.length, out), `to evaluate round ${round + 1}`);
    // "[7]\tm0-logloss:0.41\tm1-logloss:0.45"
    const values = outOf(out)
      .split('\t')
      .slice(1)
      .map((part) => Number(part.slice(part.lastIndexOf(':') + 1)));
    if (values.length !== matrices.length)
      throw new FathomError('internal', `XGBoost evaluated "${out[0]}": one metric a matrix was expected`);
    return values;
  }

  /**
   * Predictions by the first `rounds` rounds (0: all), row-major where a row has several.
   *
   * @param what `values`: on the scale of the label. `margins`: before the objective's link, log odds for `binary`.
   *   `contributions`: exact TreeSHAP values of the margin, rows x outputs x (features + 1), the bias last.
   */
  predict(matrix: Matrix, rounds: number, what: Prediction = 'values'): Float32Array {
    const { c, check } = this.#xgboost;
    const config = JSON.stringify({
      type: predictionTypes[what],
      training: false,
      iteration_begin: 0,
      iteration_end: rounds,
      strict_shape: false,
    });
    const shape: [bigint | null] = [null];
    const dimensions: [number | null] = [null];
    const result: [bigint | null] = [null];
    check(c.boosterPredict(this.#handle, matrix.handle, config, shape, dimensions, result), 'to predict');
    const sizes = copySizes(outOf(shape), Number(outOf(dimensions)));
    return copyFloats(
      outOf(result),
      sizes.reduce((product, size) => product * size, 1),
    );
  }

  /** Importance by feature name; features that no tree uses are left out. */
  importance(kind: Importance): Map<string, number> {
    const { c, check } = this.#xgboost;
    const features: [number | null] = [null];
    const names: [bigint | null] = [null];
    const dimensions: [number | null] = [null];
    const shape: [bigint | null] = [null];
    const scores: [bigint | null] = [null];
    const config = JSON.stringify({ importance_type: kind });
    check(c.boosterScore(this.#handle, config, features, names, dimensions, shape, scores), 'to rank the features');
    const count = Number(outOf(features));
    if (count === 0) return new Map();
    const values = copyFloats(outOf(scores), count);
    return new Map(copyStrings(outOf(names), count).map((name, i) => [name, values[i] as number]));
  }

  /** Rounds boosted so far. */
  rounds(): number {
    const { c, check } = this.#xgboost;
    const out: [number | null] = [null];
    check(c.boosterRounds(this.#handle, out), 'to count its rounds');
    return outOf(out);
  }

  setAttribute(key: string, value: string): void {
    const { c, check } = this.#xgboost;
    check(c.boosterSetAttribute(this.#handle, key, value), `to store ${key}`);
  }

  attribute(key: string): string | undefined {
    const { c, check } = this.#xgboost;
    const out: [string | null] = [null];
    const found: [number | null] = [null];
    check(c.boosterGetAttribute(this.#handle, key, out, found), `to read ${key}`);
    return found[0] === 1 ? outOf(out) : undefined;
  }

  /** Where it trains by its own account: `cpu` or `cuda:0`. */
  device(): string {
    const { c, check } = this.#xgboost;
    const out: [string | null] = [null];
    check(c.boosterConfig(this.#handle, [null], out), 'to say how it is set up');
    const config = JSON.parse(outOf(out)) as { learner?: { generic_param?: { device?: string } } };
    return config.learner?.generic_param?.device ?? 'unknown';
  }

  /** The model as JSON, which every later XGBoost reads. */
  toJson(): Uint8Array {
    const { c, check } = this.#xgboost;
    const size: [number | null] = [null];
    const bytes: [bigint | null] = [null];
    check(c.boosterSave(this.#handle, '{"format": "json"}', size, bytes), 'to save the model');
    return copyBytes(outOf(bytes), Number(outOf(size)));
  }

  free(): void {
    for (const handle of this.#owned.splice(0)) this.#xgboost.c.boosterFree(handle);
  }
}
