/** Collects what is wrong with an experiment, so that a user sees all of it at once, each with its line and a caret. */
import { FathomError, FathomErrors } from '../errors.ts';
import type { Origin } from './types.ts';

/** A piece of text to point at: `column` and `width` in characters, `column` from 1. */
export interface Spot {
  readonly origin: Origin;
  readonly column: number;
  readonly width: number;
}

const longestLine = 100;

export class Problems {
  readonly #lines = new Map<string, readonly string[]>();
  readonly #found: { error: FathomError; order: readonly number[] }[] = [];

  /** Makes the text of a file known, for the lines that errors quote. */
  addSource(file: string, text: string): void {
    this.#lines.set(file, text.split(/\r\n|\r|\n/));
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** Adds a problem at a spot. Equal ones are kept once. */
  add(spot: Spot, message: string, hint?: string): void {
    const origin = written(spot.origin);
    if (origin.kind === 'file') {
      const { file, line, column } = origin;
      const source = this.#lines.get(file)?.[line - 1];
      const quote = source === undefined ? undefined : quoteLine(source, column, spot.width, `${line} | `);
      const files = [...this.#lines.keys()];
      this.#push({ file, line, column }, message, [quote, hint], [0, files.indexOf(file), line, column]);
    } else if (origin.kind === 'override') {
      const quote = quoteLine(origin.text, spot.column, spot.width, '');
      this.#push({ file: `override ${origin.index}` }, message, [quote, hint], [1, origin.index, 0, 0]);
    } else {
      this.#push(undefined, message, [hint], [2, 0, 0, 0]);
    }
  }

  #push(
    at: { file: string; line?: number; column?: number } | undefined,
    message: string,
    parts: readonly (string | undefined)[],
    order: readonly number[],
  ): void {
    const hint = parts.filter((part) => part !== undefined).join('\n  ');
    const error = new FathomError('experiment', message, { at, hint: hint === '' ? undefined : hint });
    const known = this.#found.some(
      (other) => other.error.message === message && JSON.stringify(other.error.at) === JSON.stringify(at),
    );
    if (!known) this.#found.push({ error, order });
  }

  /** Throws what was found, in the order of the text. */
  throwIfAny(): void {
    if (!this.any) return;
    const sorted = this.#found.toSorted((a, b) => {
      const i = a.order.findIndex((value, k) => value !== b.order[k]);
      return i === -1 ? 0 : (a.order[i] as number) - (b.order[i] as number);
    });
    throw new FathomErrors(sorted.map((found) => found.error));
  }
}

/** The place where a human wrote the text that led to a value. */
function written(origin: Origin): Origin {
  return origin.kind === 'env' || origin.kind === 'reference' ? written(origin.at) : origin;
}

/** An origin in words: `experiments/a.yaml:7:13`, `override 1 (mtl.epochs=5)`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return origin.stage === undefined ? 'default' : `default of ${origin.stage}`;
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`;
    case 'override':
      return `override ${origin.index} (${origin.text})`;
    case 'env':
      return `\${env:${origin.name}}${origin.fellBack ? ', not set: its default' : ''} at ${describeOrigin(origin.at)}`;
    case 'reference':
      return `\${${origin.to}} at ${describeOrigin(origin.at)}`;
  }
}

/** Two lines, joined by the indent of hints: the source and a caret row below it. Long lines show the part in question. */
function quoteLine(source: string, column: number, width: number, prefix: string): string {
  let from = 0;
  if (source.length > longestLine) from = Math.max(0, Math.min(column - 1 - 40, source.length - longestLine));
  const shown = source.slice(from, from + longestLine).replaceAll('\t', ' ');
  const start = Math.min(column - 1 - from, shown.length);
  const carets = '^'.repeat(Math.max(1, Math.min(width, shown.length - start)));
  const margin = prefix.replace(/[0-9]/g, ' ');
  return `${prefix}${shown}\n  ${margin}${' '.repeat(start)}${carets}`;
}
