/** Descriptions of data sets: what a file holds, column by column, as YAML beside the experiments. */
import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { FathomError, FathomErrors, fromSystemError } from '../errors.ts';
import { columnRoles } from './columns.ts';

export const columnTypes = ['number', 'integer', 'text', 'time', 'boolean'] as const;

export const columnDescription = z.strictObject({
  name: z.string().min(1).describe('Name of the column, as in the header where there is one'),
  type: z
    .enum(columnTypes)
    .default('number')
    .describe('number: a double; integer: whole, 64 bits; text; time: stored as UTC; boolean'),
  role: z.enum(columnRoles).default('feature').describe('What the column is to a model'),
  unit: z.string().optional().describe('Unit; for times counted from 1970-01-01 UTC: s, ms or us'),
  description: z.string().optional().describe('What it means'),
  missing: z.array(z.string()).default(['']).describe('Texts that stand for a missing value'),
});

export type ColumnDescription = z.infer<typeof columnDescription>;

export const fileFormats = ['csv', 'parquet', 'arrow', 'jsonl'] as const;

/** How a file is to be read; a data set's description and the parameters of `source.table` both have these. */
export const readingFields = {
  columns: z
    .array(columnDescription)
    .min(1)
    .optional()
    .describe('Every column of the file, in the order of the result'),
  format: z.enum(fileFormats).optional().describe('Format of the file. Default: by its extension'),
  header: z
    .union([z.literal(true), z.literal(false), z.literal('skip')], 'expected true, false or skip')
    .optional()
    .describe(
      'CSV: true, the first line names the columns (default); false, there is none; skip, it is there but wrong',
    ),
  delimiter: z
    .string()
    .length(1)
    .optional()
    .describe('CSV: one character between fields. Default: comma, tab for .tsv'),
  timeZone: z
    .string()
    .optional()
    .describe('Zone of times that name none, e.g. UTC or America/New_York. Without it such times are refused'),
  duplicates: z
    .enum(['keep', 'drop-exact'])
    .optional()
    .describe('What becomes of rows equal to an earlier one in every column. Default: keep'),
  maxRejected: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of rows that may be bad before the import stops. Default: 0.001'),
  idColumn: z.string().optional().describe('Column that names the subject of a row. Default: the row number, as `row`'),
};

const dataset = z.strictObject({
  name: z.string().min(1),
  summary: z.string().optional(),
  source: z.string().optional(),
  license: z.string().optional(),
  ...readingFields,
});

export type Dataset = z.infer<typeof dataset>;
export type Reading = Omit<Dataset, 'name' | 'summary' | 'source' | 'license'>;

/** Reads and checks a description; errors name its line. */
export async function readDataset(file: string): Promise<Dataset> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, 'reading a dataset description');
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  if (document.errors.length > 0)
    throw new FathomErrors(
      document.errors.map(
        (error) =>
          new FathomError('experiment', error.message.split(' at line ')[0] ?? error.message, {
            at: place(error.pos[0]),
          }),
      ),
    );
  const parsed = dataset.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw new FathomErrors(
    parsed.error.issues.map((issue) => {
      const node = nodeAt(document, issue.path);
      const name = issue.path.length === 0 ? 'the description' : issue.path.join('.');
      return new FathomError('experiment', `${name}: ${issue.message}`, { at: place(node) });
    }),
  );
}

/** Offset of the value at a path, or of the nearest value around it. */
function nodeAt(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as
      | { range?: readonly [number, number, number] }
      | undefined;
    if (node?.range !== undefined) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
