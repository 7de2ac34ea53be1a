/** Turns what zod finds into sentences that point at the line. Unions report the alternative that was meant. */
import type { z } from 'zod';
import { didYouMean } from './nearest.ts';
import { type JsonSchema, keysAt, propertyAt, typeInWords } from './parameters.ts';
import type { Problems } from './problems.ts';
import { closestSpot, keySpotAt, leavesOf, nodeAt, type Path, type Tree, toPlain } from './tree.ts';

type Issue = z.core.$ZodIssue;

export interface IssueContext {
  readonly tree: Tree;
  /** Where the checked value stands in the tree. */
  readonly base: Path;
  /** Of the checked value: says what was expected and which keys there are. Asked for only when something is wrong. */
  readonly schema: () => JsonSchema;
  /** Keys that are allowed at the top of the checked value besides those of the schema. */
  readonly extraKeys?: readonly string[];
  /** What a key at the top is called: "parameter of train.mtl". */
  readonly keyLabel?: string;
  readonly problems: Problems;
}

export function reportIssues(issues: readonly Issue[], context: IssueContext): void {
  for (const issue of issues) reportIssue(issue, [], context);
}

function reportIssue(issue: Issue, prefix: Path, context: IssueContext): void {
  const { tree, base, problems } = context;
  const inner = [...prefix, ...issue.path.map(String)];
  const full = [...base, ...inner];
  const label = labelOf(full);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(key, inner, context);
    return;
  }
  if (isBroken(tree, full)) return;
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    for (const better of meantAlternative(issue.errors)) reportIssue(better, inner, context);
    if (meantAlternative(issue.errors).length > 0) return;
  }
  const node = nodeAt(tree, full);
  if (node === undefined && issue.code !== 'custom') {
    const spot = closestSpot(tree, full);
    const schema = propertyAt(context.schema(), inner);
    const what = schema?.description === undefined ? '' : ` (${schema.description})`;
    problems.add(
      spot,
      `${label} is missing${what}`,
      schema === undefined ? undefined : `expected ${typeInWords(schema)}`,
    );
    return;
  }
  const spot = node?.spot ?? closestSpot(tree, full);
  const got = node === undefined ? '' : `, got ${shorten(JSON.stringify(toPlain(node)))}`;
  const options = optionsOf(issue);
  if (options !== undefined) {
    const typed = node?.kind === 'leaf' ? String(node.value) : '';
    problems.add(spot, `${label}: expected one of ${options.join(', ')}${got}`, guessOnly(typed, options));
    return;
  }
  problems.add(spot, `${label}: ${issueInWords({ ...issue, path: inner }, context.schema)}${got}`);
}

function guessOnly(typed: string, options: readonly string[]): string | undefined {
  const guess = didYouMean(typed, options);
  return guess?.startsWith('did you mean') ? guess : undefined;
}

function reportUnknownKey(
  key: string,
  inner: Path,
  { tree, base, schema, extraKeys, keyLabel, problems }: IssueContext,
) {
  const full = [...base, ...inner, key];
  const top = inner.length === 0;
  const names = [...keysAt(schema(), inner).names, ...(top ? (extraKeys ?? []) : [])];
  const what = top && keyLabel !== undefined ? `${key} is no ${keyLabel}` : `${labelOf(full)} is not known`;
  problems.add(keySpotAt(tree, full) ?? closestSpot(tree, full), what, didYouMean(key, names));
}

/**
 * The issues of the alternative a value comes closest to: of those that fit its type the one with the fewest unknown
 * keys, first its own, then those further in. If several are as close, the keys that none of them knows. Else nothing.
 */
function meantAlternative(alternatives: readonly (readonly Issue[])[]): readonly Issue[] {
  const fitting = alternatives.filter((issues) => !issues.some((issue) => isOfRoot(issue)));
  const cost = (issues: readonly Issue[]): number => {
    const unknown = issues.filter((issue) => issue.code === 'unrecognized_keys');
    const own = unknown.filter((issue) => issue.path.length === 0).length;
    return 10_000 * own + 100 * (unknown.length - own) + issues.length;
  };
  const [best, second] = fitting.toSorted((a, b) => cost(a) - cost(b));
  if (best === undefined) return [];
  if (second === undefined || cost(best) < cost(second)) return best;
  return best.filter((issue) => issue.code === 'unrecognized_keys' && issue.path.length === 0);
}

function isOfRoot(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function optionsOf(issue: Issue): readonly string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options)) {
    return issue.options.map(String);
  }
  return undefined;
}

const typeNames: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  null: 'null',
};

/** What was expected, as the end of a sentence. The path of the issue is one from the root of the schema. */
export function issueInWords(issue: Issue, schema: () => JsonSchema): string {
  const root = schema();
  const property = propertyAt(root, issue.path.map(String));
  const options = optionsOf(issue);
  if (options !== undefined) return `expected one of ${options.join(', ')}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${property === undefined ? (typeNames[issue.expected] ?? issue.expected) : typeInWords(property, root)}`;
    case 'too_small': {
      const bound = `${issue.minimum}`;
      if (issue.origin === 'string')
        return issue.minimum === 1 ? 'must not be empty' : `expected ${bound} characters or more`;
      if (issue.origin === 'array') return `expected ${bound} or more items`;
      return `expected ${issue.inclusive ? `${bound} or more` : `more than ${bound}`}`;
    }
    case 'too_big': {
      const bound = `${issue.maximum}`;
      if (issue.origin === 'string') return `expected at most ${bound} characters`;
      if (issue.origin === 'array') return `expected at most ${bound} items`;
      return `expected ${issue.inclusive ? `${bound} or less` : `less than ${bound}`}`;
    }
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.message.startsWith('Invalid')
        ? `expected text of the form ${issue.pattern ?? issue.format}`
        : issue.message;
    case 'invalid_key':
      return 'this key is not allowed here';
    case 'invalid_union':
      return `expected ${property === undefined ? 'another type' : typeInWords(property, root)}`;
    default:
      return issue.message;
  }
}

/** `stages.mtl.hidden.0` reads `mtl.hidden.0`. */
export function labelOf(path: Path): string {
  if (path.length === 0) return 'the experiment';
  return (path[0] === 'stages' && path.length > 1 ? path.slice(1) : path).join('.');
}

/** True where the value, a part of it, or what it is a part of could not be resolved: that was reported already. */
export function isBroken(tree: Tree, path: Path): boolean {
  for (let depth = 0; depth <= path.length; depth++) {
    const node = nodeAt(tree, path.slice(0, depth));
    if (node?.kind === 'leaf' && node.broken) return true;
  }
  const node = nodeAt(tree, path);
  if (node === undefined) return false;
  for (const leaf of leavesOf(node)) if (leaf.node.kind === 'leaf' && leaf.node.broken) return true;
  return false;
}

function shorten(text: string, length = 60): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
