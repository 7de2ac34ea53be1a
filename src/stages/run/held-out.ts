import path from 'node:path';
import type { InputArtifact } from '../../contract/stage.ts';
import { type HeldOutRow, heldOutRows } from '../../evaluation/held-out.ts';
import type { PredictionTable } from '../../evaluation/predictions.ts';
import { readParquet } from '../../tables/parquet.ts';

/** Held-out rows of prediction artifacts; each artifact is a model of its own name. */
export async function readHeldOut(
  artifacts: readonly InputArtifact[],
  nameOf: (artifact: InputArtifact) => string = ({ stage }) => stage,
): Promise<HeldOutRow[]> {
  const tables: PredictionTable[] = [];
  for (const artifact of artifacts) {
    const { rows } = await readParquet(artifact.path);
    tables.push({ model: nameOf(artifact), file: path.basename(artifact.path), rows });
  }
  return heldOutRows(tables);
}
