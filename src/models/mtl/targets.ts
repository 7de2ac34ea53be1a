/** From label columns to the target matrix of a network, and back from its outputs. */
import { FathomError } from '../../errors.ts';
import { columnNamed, type Frame, type FrameColumn } from '../../tables/frame.ts';
import { momentsOf } from './scaler.ts';
import type { HeadKind, HeadShape } from './shape.ts';

/** What a user asks of a head. */
export interface HeadRequest {
  readonly name: string;
  readonly kind: HeadKind;
  /** Label columns: several for a vector, one else. */
  readonly targets: readonly string[];
}

/** One output column: what it predicts, and how to scale it back: value = output * scale + offset. */
export interface OutputColumn {
  /** Label column, or `label=class`. */
  readonly target: string;
  readonly offset: number;
  readonly scale: number;
  /** Mean of the target over the training rows: the constant baseline. Null if none is present. */
  readonly trainingMean: number | null;
}

export interface Head extends HeadRequest {
  readonly outputs: readonly OutputColumn[];
  /** Names of the classes of a `multiclass` head. */
  readonly classes?: readonly string[];
}

/** Targets of a head in their own units: one array per output column, NaN where missing. */
interface RawHead {
  readonly names: readonly string[];
  readonly values: readonly Float64Array[];
  readonly classes?: readonly string[];
}

export interface EncodedTargets {
  readonly heads: readonly Head[];
  /** rows x outputs, scaled for training; NaN where missing. */
  readonly matrix: Float32Array;
  /** Per output column, in the label's own units. */
  readonly actual: readonly Float64Array[];
}

export function shapeOfHead({ kind, outputs }: Head): HeadShape {
  return { kind, outputs: outputs.length };
}

/**
 * Reads the label columns and fits their scaling on the training rows.
 *
 * @param rows training rows
 */
export function encodeTargets(frame: Frame, requests: readonly HeadRequest[], rows: Uint32Array): EncodedTargets {
  const raw = requests.map((request) => readHead(frame, request));
  const heads = requests.map((request, h): Head => {
    const { names, values, classes } = raw[h] as RawHead;
    const outputs = names.map((target, i) => fitOutput(request.kind, target, values[i] as Float64Array, rows));
    if (outputs.every((output) => output.trainingMean === null))
      throw new FathomError('data', `head "${request.name}" has no label in any of the ${rows.length} training rows`, {
        hint: 'choose other targets or a longer training window',
      });
    return { ...request, outputs, ...(classes === undefined ? {} : { classes }) };
  });
  const columns = heads.flatMap((head) => head.outputs);
  const actual = raw.flatMap((head) => head.values);
  const matrix = new Float32Array(frame.rows * columns.length);
  for (const [c, { offset, scale }] of columns.entries()) {
    const values = actual[c] as Float64Array;
    for (let row = 0; row < frame.rows; row++)
      matrix[row * columns.length + c] = ((values[row] as number) - offset) / scale;
  }
  return { heads, matrix, actual };
}

function fitOutput(kind: HeadKind, target: string, values: Float64Array, rows: Uint32Array): OutputColumn {
  const { mean, deviation } = momentsOf(values, rows);
  const scaled = kind === 'regression' || kind === 'relu';
  return {
    target,
    offset: kind === 'regression' ? (mean ?? 0) : 0,
    scale: scaled ? deviation : 1,
    trainingMean: mean,
  };
}

function readHead(frame: Frame, { name, kind, targets }: HeadRequest): RawHead {
  if (kind === 'multiclass') {
    const [target, ...others] = targets;
    if (target === undefined || others.length > 0)
      throw new FathomError('experiment', `head "${name}": multiclass takes one target, not ${targets.length}`);
    return readClasses(labelColumn(frame, target));
  }
  return { names: targets, values: targets.map((target) => readNumbers(labelColumn(frame, target), kind)) };
}

function labelColumn(frame: Frame, name: string): FrameColumn {
  const column = columnNamed(frame, name);
  if (column.role !== 'label')
    throw new FathomError('data', `target "${name}" has the role "${column.role}", not "label"`, {
      hint: `labels of this frame: ${frame.columns
        .filter((c) => c.role === 'label')
        .map((c) => c.name)
        .join(', ')}`,
    });
  return column;
}

const ranges: Partial<Record<HeadKind, { readonly words: string; readonly holds: (value: number) => boolean }>> = {
  binary: { words: '0 or 1', holds: (value) => value === 0 || value === 1 },
  sigmoid: { words: 'within [0, 1]', holds: (value) => value >= 0 && value <= 1 },
  tanh: { words: 'within [-1, 1]', holds: (value) => value >= -1 && value <= 1 },
  relu: { words: 'at least 0', holds: (value) => value >= 0 },
};

function readNumbers(column: FrameColumn, kind: HeadKind): Float64Array {
  if (column.type !== 'number')
    throw new FathomError('data', `target "${column.name}" holds categories; a ${kind} head needs numbers`, {
      hint: 'use kind: multiclass',
    });
  const range = ranges[kind];
  for (let row = 0; row < column.values.length; row++) {
    const value = column.values[row] as number;
    if (Number.isNaN(value)) continue;
    if (!Number.isFinite(value) || (range !== undefined && !range.holds(value)))
      throw new FathomError(
        'data',
        `target "${column.name}" is ${value} in row ${row}; a ${kind} head needs ${range?.words ?? 'finite numbers'}`,
        { hint: 'another kind of head suits it: regression takes any number' },
      );
  }
  return Float64Array.from(column.values);
}

/** One column of 0 and 1 per class. Numbers are classes by their value, which must be whole and at least 0. */
function readClasses(column: FrameColumn): RawHead {
  let codes: ArrayLike<number>;
  let classes: readonly string[];
  if (column.type === 'category') {
    codes = column.codes;
    classes = column.labels;
  } else {
    let largest = -1;
    for (const [row, value] of column.values.entries()) {
      if (Number.isNaN(value)) continue;
      if (!Number.isInteger(value) || value < 0 || value > 9999)
        throw new FathomError('data', `target "${column.name}" is ${value} in row ${row}, not the number of a class`, {
          hint: 'classes are text, or whole numbers from 0 to 9999; regression takes any number',
        });
      largest = Math.max(largest, value);
    }
    codes = Array.from(column.values, (value) => (Number.isNaN(value) ? -1 : value));
    classes = Array.from({ length: largest + 1 }, (_, c) => String(c));
  }
  if (classes.length < 2)
    throw new FathomError(
      'data',
      `target "${column.name}" has ${classes.length} classes; multiclass needs two or more`,
      { hint: 'choose another target, or more data' },
    );
  const values = classes.map((_, c) =>
    Float64Array.from(codes as ArrayLike<number>, (code) => (code < 0 ? Number.NaN : Number(code === c))),
  );
  return { names: classes.map((label) => `${column.name}=${label}`), values, classes };
}
