/** Counts what becomes of the rows of a file that is read row by row in JavaScript. */
import type { Quality } from '../../contract/metrics.ts';
import { FathomError, formatPlace } from '../../errors.ts';

/** A file and how its places become line numbers. */
export interface Source {
  readonly file: string;
  /** The file without its folders: what artifacts say, so that equal data give equal bytes wherever they lie. */
  readonly name: string;
  /** The line of a row; rows of JSON are named by their line. */
  lineOf(place: number): Promise<number>;
}

export class Tally {
  rows = 0;
  refused = 0;
  readonly #reasons = new Map<string, { count: number; place: number }>();

  refuse(reason: string, place: number): void {
    this.refused++;
    const known = this.#reasons.get(reason);
    if (known === undefined) this.#reasons.set(reason, { count: 1, place });
    else known.count++;
  }

  /**
   * What was refused, the commonest first.
   *
   * @param maxRejected the largest share of rows that may be refused; beyond it this stops with one error
   */
  async rejected(source: Source, maxRejected: number): Promise<Quality['rejected']> {
    const reasons = [...this.#reasons].sort((a, b) => b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1));
    const commonest = reasons[0];
    if (commonest !== undefined && this.refused > maxRejected * this.rows) {
      const [reason, { count, place }] = commonest;
      throw new FathomError(
        'data',
        `${this.refused} of ${this.rows} rows are refused (${percent(this.refused / this.rows)}, allowed ${percent(maxRejected)}), most often, ${count} times: ${reason}`,
        {
          at: { file: source.file, line: await source.lineOf(place) },
          hint: 'Mend the file, or raise maxRejected if the rest of it may be trusted.',
        },
      );
    }
    const found: Quality['rejected'][number][] = [];
    for (const [reason, { count, place }] of reasons)
      found.push({
        reason,
        count,
        first: formatPlace({ file: source.name, line: await source.lineOf(place) }),
      });
    return found;
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
