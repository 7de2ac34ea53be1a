/** What a column is to a model, and how tables carry that with them. */
import { z } from 'zod';

/**
 * `id` names the subject of a row (a wallet), `time` is the moment it was known (`asOf`), `group` what must not be
 * split across folds (an event, a wallet), `labelEnd` the moment its labels are known, `label` a target, `feature` an
 * input, `weight` a sample weight, `info` anything else worth carrying (shown on hover, never trained on).
 */
export const columnRoles = ['id', 'time', 'group', 'labelEnd', 'label', 'feature', 'weight', 'info'] as const;
export type ColumnRole = (typeof columnRoles)[number];

export const columnSpec = z.strictObject({
  name: z.string().min(1),
  role: z.enum(columnRoles),
  unit: z.string().optional(),
  description: z.string().optional(),
});

/** A column's name, role, unit and meaning; stored as JSON under `fathom` in the metadata of Parquet and Arrow files. */
export type ColumnSpec = z.infer<typeof columnSpec>;

export const columnSpecs: z.ZodType<ColumnSpec[]> = z.array(columnSpec);

/** Key of the metadata entry that holds `ColumnSpec[]`. */
export const METADATA_KEY = 'fathom';
