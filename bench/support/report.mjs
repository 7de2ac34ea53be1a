/** How a bench says what it measured: a line of JSON on standard output for the table, words on standard error. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/**
 * One row: { bench, measure, unit, ours, target, targetRatio, peers: [{ name, value }] }. Less is better. `target` is in
 * the unit of `ours`, `targetRatio` is of ours to the first peer; either may be left out or null.
 */
export function report(row) {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

/** A line for a person. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}
