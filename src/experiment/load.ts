/** From a file to a checked experiment: parse, compose, override, resolve references, check, connect, freeze. */
import type { Axis } from '../contract/stage.ts';
import { compose, stageKeys } from './compose.ts';
import { reportIssues } from './issues.ts';
import { didYouMean } from './nearest.ts';
import { applyOverrides, type KnownKeys, rootKeys } from './overrides.ts';
import { defaultAt, jsonSchemaOf, type Keys, keysAt } from './parameters.ts';
import { Problems } from './problems.ts';
import { resolveReferences } from './references.ts';
import { rootSchema, slurmSchema } from './schema.ts';
import { type CheckedStage, checkStages, type Registry } from './stages.ts';
import { checkSweep } from './sweep.ts';
import { closestSpot, type Dict, leavesOf, nodeAt, type Path, type Tree, toPlain } from './tree.ts';
import type { Experiment, ExperimentStage, Origin, SlurmResources } from './types.ts';
import { wire } from './wiring.ts';

export interface LoadOptions {
  readonly file: string;
  /** As on the command line: `mtl.epochs=5`. */
  readonly overrides?: readonly string[];
  /** For `${env:NAME}`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly readFile: (file: string) => Promise<string>;
  readonly stages: Registry;
}

/** Loads an experiment. Throws `FathomErrors` with all that is wrong. */
export async function loadExperiment(options: LoadOptions): Promise<Experiment> {
  const problems = new Problems();
  const composed = await compose(options.file, options.readFile, problems);
  if (composed === undefined) {
    problems.throwIfAny();
    throw new Error(`${options.file} could not be read, and no error says why`);
  }
  const overrides = options.overrides ?? [];
  const known = knownKeys(options.stages);
  const overridden = applyOverrides(composed.tree, overrides, known, problems);
  const tree = resolveReferences(
    overridden,
    { env: options.env ?? {}, defaultAt: defaults(options.stages), known },
    problems,
  );
  const experiment = check(tree, options.stages, problems);
  problems.throwIfAny();
  if (experiment === undefined) throw new Error(`${options.file} is wrong, and no error says why`);
  return deepFreeze({
    ...experiment,
    file: options.file,
    files: composed.files,
    overrides: [...overrides],
    origins: originsOf(tree, experiment),
  });
}

type Checked = Omit<Experiment, 'file' | 'files' | 'overrides' | 'origins'>;

function check(tree: Dict, registry: Registry, problems: Problems): Checked | undefined {
  const plain = toPlain(withoutPruner(tree, problems));
  const root = rootSchema.safeParse(plain);
  if (!root.success) {
    reportIssues(root.error.issues, {
      tree,
      base: [],
      schema: () => jsonSchemaOf(rootSchema),
      extraKeys: ['base'],
      problems,
    });
  }
  const { stages, names } = checkStages(tree, registry, problems);
  const wiring = wire(tree, stages, names, problems);
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  // From the tree, since faults elsewhere must not hide these.
  const sweep = checkSweep(tree, root.data?.sweep, byName, names, problems);
  checkAnswer(tree, byName, names, problems);
  if (root.data === undefined || problems.any) return undefined;

  const { name, title, question, about, seed, resources, report, onError } = root.data;
  const { slurm, ...here } = resources;
  return dropUndefined({
    name,
    title,
    question,
    about,
    seed,
    stages: wiring.order.map((stage) => finished(byName.get(stage) as CheckedStage, wiring.from.get(stage) ?? {})),
    sweep,
    resources: dropUndefined({ ...here, slurm: slurm === undefined ? undefined : flattened(slurm, tree, problems) }),
    report: dropUndefined({ ...report }),
    onError,
  }) as Checked;
}

function finished(stage: CheckedStage, from: ExperimentStage['from']): ExperimentStage {
  return dropUndefined({
    name: stage.name,
    use: stage.definition.name,
    description: stage.description,
    params: stage.params ?? {},
    from,
    each: stage.each as Axis | undefined,
    whenMissing: stage.whenMissing,
    engine: stage.engine,
  }) as ExperimentStage;
}

/** `array: { throttle }` and `throttle` are the same thing. */
function flattened(
  slurm: {
    readonly array?: { readonly throttle?: number | undefined } | undefined;
    readonly throttle?: number | undefined;
  },
  tree: Tree,
  problems: Problems,
): SlurmResources {
  const { array, ...rest } = slurm;
  if (array?.throttle !== undefined && rest.throttle !== undefined && array.throttle !== rest.throttle) {
    problems.add(
      closestSpot(tree, ['resources', 'slurm', 'throttle']),
      'throttle and array.throttle say different things',
    );
  }
  const throttle = rest.throttle ?? array?.throttle;
  // In the order of the schema, so that a rendered experiment renders as itself.
  const values: Record<string, unknown> = { ...rest, throttle };
  return dropUndefined(Object.fromEntries(Object.keys(slurmSchema.shape).map((key) => [key, values[key]])));
}

/** Reports a pruner by name, rather than as a key that nobody knows. */
function withoutPruner(tree: Dict, problems: Problems): Dict {
  const sweep = tree.entries.get('sweep');
  const pruner = sweep?.value.kind === 'map' ? sweep.value.entries.get('pruner') : undefined;
  if (sweep?.value.kind !== 'map' || pruner === undefined) return tree;
  problems.add(pruner.key, 'pruners are not supported yet: every trial trains to its end', 'leave out sweep.pruner');
  const entries = new Map(sweep.value.entries);
  entries.delete('pruner');
  return { ...tree, entries: new Map(tree.entries).set('sweep', { ...sweep, value: { ...sweep.value, entries } }) };
}

function checkAnswer(
  tree: Tree,
  stages: ReadonlyMap<string, CheckedStage>,
  names: ReadonlySet<string>,
  problems: Problems,
): void {
  const node = nodeAt(tree, ['report', 'answer']);
  if (node?.kind !== 'leaf' || typeof node.value !== 'string') return;
  const { value: answer, spot } = node;
  if (!names.has(answer)) {
    problems.add(spot, `report.answer: there is no stage ${answer}`, didYouMean(answer, names, 'stages'));
    return;
  }
  const outputs = stages.get(answer)?.definition.outputs;
  if (outputs === undefined || Object.values(outputs).some((output) => output.kind === 'metrics')) return;
  problems.add(spot, `report.answer: ${answer} makes no metrics, and so no findings`);
}

/** Which keys an override may set though the file does not have them. */
function knownKeys(registry: Registry): KnownKeys {
  const closed = (names: readonly string[]): Keys => ({ names, open: false });
  return (tree, path) => {
    if (path.length === 0) return closed(rootKeys.filter((key) => key !== 'base'));
    if (path.join('.') === 'sweep.sampler') return closed(['use', 'trials']);
    if (path[0] !== 'stages') return keysAt(jsonSchemaOf(rootSchema), path);
    if (path.length === 1) return { names: [], open: true };
    const definition = definitionAt(tree, path[1] as string, registry);
    if (definition === undefined) return { names: stageKeys, open: true };
    const below = path.slice(2);
    if (below[0] === 'from') return closed(Object.keys(definition.inputs));
    const own = keysAt(jsonSchemaOf(definition.params), below);
    return below.length === 0 ? { ...own, names: [...stageKeys, ...own.names] } : own;
  };
}

function defaults(registry: Registry) {
  return (tree: Tree, path: Path): unknown => {
    if (path[0] !== 'stages') {
      const plain = rootSchema.shape;
      if (path.length === 1 && path[0] === 'seed') return plain.seed.parse(undefined);
      return undefined;
    }
    const definition = definitionAt(tree, path[1] ?? '', registry);
    return definition === undefined ? undefined : defaultAt(definition, path.slice(2));
  };
}

function definitionAt(tree: Tree, name: string, registry: Registry) {
  const use = nodeAt(tree, ['stages', name, 'use']);
  return use?.kind === 'leaf' && typeof use.value === 'string' ? registry.get(use.value) : undefined;
}

/** Origins of what the file says, then of every default that was filled in. */
function originsOf(tree: Tree, experiment: Checked): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const { path, node } of leavesOf(tree)) origins.set(path.join('.'), node.spot.origin);
  const fill = (value: unknown, path: string, origin: Origin): void => {
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      for (const [key, member] of Object.entries(value)) fill(member, path === '' ? key : `${path}.${key}`, origin);
    } else if (!origins.has(path) && !covered(origins, path)) {
      origins.set(path, origin);
    }
  };
  for (const stage of experiment.stages) {
    fill(stage.params, `stages.${stage.name}`, { kind: 'default', stage: stage.use });
    fill(
      { whenMissing: stage.whenMissing, ...(stage.engine ? { engine: stage.engine } : {}) },
      `stages.${stage.name}`,
      {
        kind: 'default',
        stage: stage.use,
      },
    );
  }
  const { seed, onError, resources, sweep } = experiment;
  fill({ seed, onError, resources: { device: resources.device } }, '', { kind: 'default' });
  if (sweep !== undefined) fill({ replicates: sweep.replicates }, 'sweep', { kind: 'default' });
  return origins;
}

/** True where a part of the path is a value as written: a transform of the schema made more of it. */
function covered(origins: ReadonlyMap<string, Origin>, path: string): boolean {
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    if (origins.has(path.slice(0, dot))) return true;
  }
  return false;
}

function dropUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || value instanceof Map) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
