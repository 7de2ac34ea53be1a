/** Rows that are the same in every column. */
import type { Matrix } from './matrix.ts';

/** For each row the number of the first row that equals it. */
export function firstEqualRows({ rows, columns, values }: Matrix): Int32Array {
  const first = new Int32Array(rows);
  // Open addressing: twice as many places as rows, the number of a row or -1.
  let size = 16;
  while (size < 2 * rows) size *= 2;
  const table = new Int32Array(size).fill(-1);
  const word = new Float64Array(1);
  const halves = new Int32Array(word.buffer);
  for (let i = 0; i < rows; i++) {
    let hash = 0;
    for (let c = 0; c < columns; c++) {
      // Adding 0 turns -0 into 0, which equals it.
      word[0] = (values[i * columns + c] as number) + 0;
      hash = Math.imul(hash ^ (halves[0] as number), 0x85ebca6b);
      hash = Math.imul((hash ^ (hash >>> 15)) + (halves[1] as number), 0xc2b2ae35);
      hash ^= hash >>> 13;
    }
    let place = hash & (size - 1);
    while (table[place] !== -1 && !areEqual(values, columns, table[place] as number, i))
      place = (place + 1) & (size - 1);
    if (table[place] === -1) table[place] = i;
    first[i] = table[place] as number;
  }
  return first;
}

function areEqual(values: Float64Array, columns: number, a: number, b: number): boolean {
  for (let c = 0; c < columns; c++) if (values[a * columns + c] !== values[b * columns + c]) return false;
  return true;
}
