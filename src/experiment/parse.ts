// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the grammar of references
/** YAML 1.2 text to a tree with places. Duplicate keys, unknown tags and numbers that would lose digits are errors. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Problems, Spot } from './problems.ts';
import type { Entry, Path, Scalar, Tree } from './tree.ts';

/** More nodes than any experiment has: what a bomb of aliases would expand to. */
const mostNodes = 100_000;

/** What a piece of YAML counts from: a file, or the value of an override. */
export type SpotMaker = (offset: number, end: number) => Spot;

/** Spots of a file. */
function spotsOfFile(file: string, text: string, counter: LineCounter): SpotMaker {
  return (offset, end) => {
    const { line, col } = counter.linePos(Math.min(offset, text.length));
    const width = Math.max(1, lineEnd(text, offset, end) - offset);
    // An empty document has no line 1 for the counter.
    const at = { line: Math.max(1, line), column: Math.max(1, col) };
    return { origin: { kind: 'file', file, ...at }, column: at.column, width };
  };
}

function lineEnd(text: string, offset: number, end: number): number {
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? end : Math.min(end, newline);
}

/** Parses a file. Undefined if it could not be read as YAML; the problems say why. */
export function parseFile(file: string, text: string, problems: Problems): Tree | undefined {
  problems.addSource(file, text);
  const counter = new LineCounter();
  return parseText(text, spotsOfFile(file, text, counter), problems, counter);
}

/** Parses any YAML text, with the caller saying where offsets are. */
export function parseText(
  text: string,
  spots: SpotMaker,
  problems: Problems,
  lineCounter?: LineCounter,
): Tree | undefined {
  const document = parseDocument(text, {
    ...(lineCounter === undefined ? {} : { lineCounter }),
    prettyErrors: false,
    // Checked below, where the error can say what the two are.
    uniqueKeys: false,
    strict: true,
  });
  // One fault of syntax makes the parser stumble over all that follows: the first says what matters.
  const fault = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (fault !== undefined) {
    const spot = spots(fault.pos[0], fault.pos[1]);
    problems.add(spot, `not valid YAML: ${sentence(fault.message)}`, syntaxHint(text, fault.pos[0]));
    return undefined;
  }

  let nodes = 0;
  let failed = false;
  const fail = (spot: Spot, message: string, hint?: string): void => {
    failed = true;
    problems.add(spot, message, hint);
  };
  const convert = (node: Node | null, path: Path, parentSpot: Spot): Tree => {
    const spot = spotOf(node, spots) ?? parentSpot;
    nodes++;
    if (nodes > mostNodes) {
      if (nodes === mostNodes + 1) fail(spot, 'the aliases (*name) expand to more than 100,000 values');
      return { kind: 'leaf', value: null, spot };
    }
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) fail(spot, `no anchor &${node.source} stands before this alias`);
      return { ...convert(target ?? null, path, spot), spot };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, i) => convert(item as Node | null, [...path, String(i)], spot));
      return { kind: 'list', items, spot };
    }
    if (isMap(node)) {
      const entries = new Map<string, Entry>();
      for (const pair of node.items) {
        const keyNode = pair.key as Node | null;
        const keySpot = spotOf(keyNode, spots) ?? spot;
        if (!isScalar(keyNode) || keyNode.value === null) {
          fail(keySpot, 'a key must be a word');
          continue;
        }
        const key = typeof keyNode.value === 'string' ? keyNode.value : (keyNode.source ?? String(keyNode.value));
        const earlier = entries.get(key);
        if (earlier !== undefined) fail(keySpot, duplicate(path, key), firstAt(earlier.key));
        entries.set(key, { key: keySpot, value: convert(pair.value as Node | null, [...path, key], keySpot) });
      }
      return { kind: 'map', entries, spot };
    }
    const value = isScalar(node) ? (node.value as Scalar) : null;
    const source = isScalar(node) && typeof node.source === 'string' ? node.source : '';
    const fault = typeof value === 'number' ? numberFault(value, source) : undefined;
    if (fault !== undefined) fail(spot, fault.message, fault.hint);
    return { kind: 'leaf', value, spot };
  };
  const tree = convert(document.contents, [], spots(0, 0));
  return failed ? undefined : tree;
}

/** Why a number cannot be used, if it cannot. */
export function numberFault(value: number, source: string): { message: string; hint?: string } | undefined {
  if (!Number.isFinite(value)) return { message: `${source} is not a finite number` };
  if (/^[-+]?[0-9]+$/.test(source) && !Number.isSafeInteger(value)) {
    return {
      message: `${source} is too long for a number and would lose digits`,
      hint: `write it in quotes: "${source}"`,
    };
  }
  return undefined;
}

function spotOf(node: Node | null, spots: SpotMaker): Spot | undefined {
  return node?.range ? spots(node.range[0], node.range[1]) : undefined;
}

function duplicate(path: Path, key: string): string {
  if (path.length === 1 && path[0] === 'stages') return `two stages of one name: ${key}`;
  return `the key ${[...path, key].join('.')} stands here twice`;
}

function firstAt(spot: Spot): string {
  return spot.origin.kind === 'file' ? `the first is at line ${spot.origin.line}` : 'keep one of them';
}

/** The usual slips: a reference in a flow map, a tab. */
function syntaxHint(text: string, offset: number): string | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(start, lineEnd(text, start, text.length));
  if (/[[{,:]\s*[^"'{}]*\$\{/.test(line)) return 'inside { } and [ ] a reference needs quotes: "${name}"';
  if (/^\s*\t/.test(line)) return 'YAML is indented with spaces, not tabs';
  return undefined;
}

/** Messages of the YAML library as the rest of a sentence. */
function sentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

const nullWords = new Set(['', '~', 'null', 'Null', 'NULL']);
const trueWords = new Set(['true', 'True', 'TRUE']);
const falseWords = new Set(['false', 'False', 'FALSE']);

/** A plain scalar by the core schema of YAML 1.2 (section 10.3.2), as in a file: `1e-4` is a number, `yes` a string. */
export function plainScalar(text: string): Scalar {
  if (nullWords.has(text)) return null;
  if (trueWords.has(text)) return true;
  if (falseWords.has(text)) return false;
  if (/^[-+]?[0-9]+$/.test(text) || /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) {
    return Number(text);
  }
  if (/^0o[0-7]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  return text;
}
