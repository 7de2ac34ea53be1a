/** What a column is to a model, and how tables carry that with them. */

/**
 * `id` names the subject of a row (a wallet), `time` is the moment it was known (`asOf`), `group` what must not be
 * split across folds (an event, a wallet), `labelEnd` the moment its labels are known, `label` a target, `feature` an
 * input, `weight` a sample weight, `info` anything else worth carrying (shown on hover, never trained on).
 */
export const columnRoles = ['id', 'time', 'group', 'labelEnd', 'label', 'feature', 'weight', 'info'] as const;
export type ColumnRole = (typeof columnRoles)[number];

/** A column's name, role, unit and meaning; stored as JSON under `fathom` in the metadata of Parquet and Arrow files. */
export interface ColumnSpec {
  name: string;
  role: ColumnRole;
  unit?: string | undefined;
  description?: string | undefined;
}

/** Key of the metadata entry that holds `ColumnSpec[]`. */
export const METADATA_KEY = 'fathom';
