// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the grammar of references
/** A resolved experiment as a file again: every default written out, every reference replaced. Loading it gives the same. */
import { stringify } from 'yaml';
import { describeOrigin } from './problems.ts';
import type { Distribution, Experiment, ExperimentStage, Origin, Source } from './types.ts';

/** The experiment in the words of its file, as plain data. */
export function resolvedConfig(experiment: Experiment): Record<string, unknown> {
  const { name, title, question, about, seed, stages, sweep, resources, report, onError } = experiment;
  return withoutUndefined({
    name,
    title,
    question,
    about,
    seed,
    stages: Object.fromEntries(stages.map((stage) => [stage.name, stageConfig(stage)])),
    sweep:
      sweep === undefined
        ? undefined
        : {
            ...sweep,
            space: Object.fromEntries(sweep.space.map((axis) => [axis.path, rangeConfig(axis.distribution)])),
          },
    resources,
    report: Object.keys(report).length === 0 ? undefined : report,
    onError,
  });
}

function stageConfig(stage: ExperimentStage): Record<string, unknown> {
  const { name: _, params, from, ...rest } = stage;
  const inputs = Object.entries(from).map(([port, sources]) => {
    const names = sources.map((source: Source) => `${source.stage}.${source.output}`);
    return [port, names.length === 1 ? names[0] : names];
  });
  const { use, description, each, engine, whenMissing } = rest;
  return withoutUndefined({
    use,
    description,
    from: inputs.length === 0 ? undefined : Object.fromEntries(inputs),
    each,
    engine,
    whenMissing,
    ...params,
  });
}

function rangeConfig(distribution: Distribution): Record<string, unknown> {
  if (distribution.kind === 'choice') return { choice: distribution.values };
  const { kind, low, high, ...steps } = distribution;
  return { [kind]: [low, high], ...steps };
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

/** The same as YAML lines; with `origins`, each value says in a comment where it comes from. */
export function renderYaml(experiment: Experiment, options: { readonly origins: boolean }): readonly string[] {
  const lines: { text: string; comment: string }[] = [];
  const write = (value: unknown, key: string, path: string, indent: string): void => {
    if (isMap(value) && Object.keys(value).length > 0) {
      lines.push({ text: `${indent}${inline(key)}:`, comment: '' });
      for (const [name, member] of Object.entries(value)) write(member, name, `${path}.${name}`, `${indent}  `);
      return;
    }
    const comment = options.origins ? shortOrigins(originsAt(experiment, path)) : '';
    lines.push({ text: `${indent}${inline(key)}: ${inline(escaped(value))}`, comment });
  };
  for (const [key, value] of Object.entries(resolvedConfig(experiment))) write(value, key, key, '');
  const width = Math.min(
    60,
    Math.max(...lines.filter((line) => line.comment !== '').map((line) => line.text.length), 0),
  );
  return lines.map(({ text, comment }) => (comment === '' ? text : `${text.padEnd(width)}  # ${comment}`));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lists and scalars stand on one line. */
function inline(value: unknown): string {
  return stringify(value, {
    collectionStyle: 'flow',
    lineWidth: 0,
    defaultStringType: 'PLAIN',
    blockQuote: false,
  }).trimEnd();
}

/** A text that looks like a reference is none any more. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(escaped);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escaped(member)]));
  return value;
}

/** The origins of a value: its own, else those of its parts, else that of what it is a part of. */
export function originsAt(experiment: Experiment, path: string): readonly Origin[] {
  const own = experiment.origins.get(path);
  if (own !== undefined) return [own];
  const parts = [...experiment.origins].filter(([key]) => key.startsWith(`${path}.`)).map(([, origin]) => origin);
  if (parts.length > 0) return parts;
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const above = experiment.origins.get(path.slice(0, dot));
    if (above !== undefined) return [above];
  }
  return [];
}

/** Origins in words, each once; the items of one line of a file count as one. */
export function shortOrigins(origins: readonly Origin[]): string {
  const found = new Map<string, string>();
  for (const origin of origins) {
    const key = origin.kind === 'file' ? `${origin.file}:${origin.line}` : describeOrigin(origin);
    if (!found.has(key)) found.set(key, describeOrigin(origin));
  }
  return [...found.values()].join(', ');
}
