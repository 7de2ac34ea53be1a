/** The space in which distances between rows are measured, and how rows that come later are brought into it. */
import { z } from 'zod';
import { FathomError } from '../errors.ts';
import { columnsOf, type Frame, type FrameColumn, numbersOf, textOf } from '../tables/frame.ts';

/** Rows side by side: `values[row * columns + column]`, all finite. */
export interface Points {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

const fields = z.strictObject({
  features: z.array(z.string()).min(1),
  /** Unit by feature where one was stated; a model must not be given cents for dollars. */
  units: z.array(z.string().nullable()),
  /** Mean of each feature over the rows that the model was fitted to; it also stands in for missing values. */
  means: z.array(z.number()),
  /** Standard deviation (population formula); 0 for a feature without variation, which then never counts. */
  deviations: z.array(z.number().min(0)),
  standardize: z.boolean(),
});

export const featureSpaceSchema = fields.refine(
  ({ features, units, means, deviations }) =>
    [units, means, deviations].every((list) => list.length === features.length),
  'features, units, means and deviations differ in length',
);

/** Features of a model in order, with their scale. Stored in every model file. */
export type FeatureSpace = z.infer<typeof featureSpaceSchema>;

/**
 * Measures the scale of each feature.
 * @param points raw values, missing ones already at the mean of their column
 */
export function fitSpace(columns: readonly FrameColumn[], points: Points, standardize: boolean): FeatureSpace {
  const { rows, values } = points;
  const means: number[] = [];
  const deviations: number[] = [];
  for (let c = 0; c < points.columns; c++) {
    let sum = 0;
    let largest = 0;
    for (let i = 0; i < rows; i++) {
      const value = values[i * points.columns + c] as number;
      sum += value;
      largest = Math.max(largest, Math.abs(value));
    }
    const mean = sum / rows;
    let squares = 0;
    for (let i = 0; i < rows; i++) {
      const delta = (values[i * points.columns + c] as number) - mean;
      squares += delta * delta;
    }
    const deviation = Math.sqrt(squares / rows);
    means.push(mean);
    // What rounding leaves of a constant is no variation.
    deviations.push(deviation > largest * 1e-14 ? deviation : 0);
  }
  return {
    features: columns.map((column) => column.name),
    units: columns.map((column) => column.unit ?? null),
    means,
    deviations,
    standardize,
  };
}

/** Raw values in the scale of the space. */
export function toSpace({ means, deviations, standardize }: FeatureSpace, points: Points): Points {
  if (!standardize) return points;
  const values = points.values.map((value, at) => {
    const c = at % points.columns;
    const deviation = deviations[c] as number;
    return deviation > 0 ? (value - (means[c] as number)) / deviation : 0;
  });
  return { ...points, values };
}

/** Rows of any frame in the scale of the space, missing values at the mean. Refuses a frame with other columns. */
export function pointsOf(space: FeatureSpace, frame: Frame): Points {
  const columns = matchingColumns(space, frame);
  const values = new Float64Array(frame.rows * columns.length);
  for (const [c, column] of columns.entries()) {
    const source = numbersOf(column);
    for (let i = 0; i < frame.rows; i++) {
      const value = source[i] as number;
      if (Math.abs(value) > 1e150)
        throw new FathomError('data', `column "${column.name}" is ${value} in row ${i}${subjectOf(frame, i)}`, {
          hint: 'distances to such a row are undefined: clip the column, or leave the value missing',
        });
      values[i * columns.length + c] = Number.isNaN(value) ? (space.means[c] as number) : value;
    }
  }
  return toSpace(space, { rows: frame.rows, columns: columns.length, values });
}

/** ` (wallet "x")`: rows may be some of those that the user knows, and their numbers others. */
function subjectOf(frame: Frame, row: number): string {
  const [id] = columnsOf(frame, 'id');
  return id === undefined ? '' : ` (${id.name} "${textOf(id, row)}")`;
}

function matchingColumns({ features, units }: FeatureSpace, frame: Frame): readonly FrameColumn[] {
  const byName = new Map(frame.columns.map((column) => [column.name, column]));
  const absent = features.filter((name) => !byName.has(name));
  const unused = frame.columns.filter(({ name, role }) => role === 'feature' && !features.includes(name));
  const problems: string[] = [];
  if (absent.length > 0) {
    problems.push(`the frame lacks ${absent.join(', ')}`);
    if (unused.length > 0) problems.push(`it has ${unused.map(({ name }) => name).join(', ')}, which the model lacks`);
  }
  for (const [c, name] of features.entries()) {
    const column = byName.get(name);
    const unit = units[c];
    if (column?.type === 'category') problems.push(`${name} holds categories`);
    if (column?.unit !== undefined && unit != null && column.unit !== unit)
      problems.push(`${name} is in ${column.unit}, and was in ${unit}`);
  }
  if (problems.length > 0)
    throw new FathomError('data', `the model was fitted to other columns: ${problems.join('; ')}`, {
      hint: `it needs ${features.join(', ')}`,
    });
  return features.map((name) => byName.get(name) as FrameColumn);
}

const BROKEN = 'copy it again from the artifact that the stage left, or fit the model again with this version';

/** Reads the JSON text of a model file; one message where it is none of that schema and version. */
export function parseModel<T>(schema: z.ZodType<T>, name: string, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FathomError('data', `no ${name} model: the file is not JSON`, { hint: BROKEN });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new FathomError('data', `no ${name} model: ${issue?.path.join('.') || 'file'}: ${issue?.message}`, {
    hint: BROKEN,
  });
}
