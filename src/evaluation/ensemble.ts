/** Deep ensembles: the mean of several models' predictions, and how far they disagree. */
import { FathomError } from '../errors.ts';
import type { HeldOutRow } from './held-out.ts';

/**
 * One row for every (target, fold, row) that all members predict: mean, and standard deviation (ddof 1) as the spread.
 * A row that some member lacks is an error: means over different members are not one model.
 * Source: Lakshminarayanan, Pritzel and Blundell (2017), NeurIPS.
 */
export function ensembleRows(rows: readonly HeldOutRow[]): { rows: HeldOutRow[]; members: readonly string[] } {
  const members = [...new Set(rows.map(({ model }) => model))];
  if (members.length < 2)
    throw new FathomError('data', `an ensemble needs two models or more, not ${members.length}`, {
      hint: 'connect several stages, or one with replicates',
    });
  const groups = new Map<string, HeldOutRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.target, row.fold, row.row]);
    const list = groups.get(key);
    if (list === undefined) groups.set(key, [row]);
    else list.push(row);
  }
  const ensemble = [...groups.values()].map((list): HeldOutRow => {
    const first = list[0] as HeldOutRow;
    const where = `row ${first.row} of fold ${first.fold}, ${first.target}`;
    if (new Set(list.map(({ model }) => model)).size < list.length)
      throw new FathomError('data', `${first.model} predicts ${where} twice`);
    if (list.length < members.length) {
      const missing = members.filter((member) => !list.some(({ model }) => model === member));
      throw new FathomError(
        'data',
        `${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'} not predict ${where}`,
        {
          hint: 'members of an ensemble predict the same rows: the same splits, the same target',
        },
      );
    }
    for (const { actual, set } of list)
      if (actual !== first.actual || set !== first.set)
        throw new FathomError('data', `the members know different outcomes or sets of ${where}`, {
          hint: 'members of an ensemble come from one frame and one split',
        });
    const mean = list.reduce((sum, { predicted }) => sum + predicted, 0) / list.length;
    const squares = list.reduce((sum, { predicted }) => sum + (predicted - mean) ** 2, 0);
    return { ...first, model: 'ensemble', predicted: mean, spread: Math.sqrt(squares / (list.length - 1)) };
  });
  return { rows: ensemble, members };
}
