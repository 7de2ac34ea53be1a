/** The static part of a plan: which stages there are, on which level, along which axes they fan out. */

import type { InputPort, StageDefinition } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import type { Experiment, ExperimentStage, Source } from '../experiment/types.ts';
import type { Absence } from './types.ts';

/** A stage of the experiment in its place. */
export interface Node {
  readonly stage: ExperimentStage;
  readonly definition: StageDefinition;
  /** Round of its tasks; of the trials, if it is swept (the winner is trained again in the round after). */
  readonly level: number;
  /** Number of folds if it runs once a fold. */
  readonly folds: number | undefined;
  readonly shards: number | undefined;
  readonly swept: boolean;
  readonly engine: string | null;
  readonly engineVersion: string | null;
  /** Connected ports with the producers that are there. */
  readonly from: Readonly<Record<string, readonly { readonly source: Source; readonly producer: Node }[]>>;
}

/** Round in which the artifacts stand that consumers of a node read. */
export function readyLevel(node: Node): number {
  return node.swept ? node.level + 1 : node.level;
}

/** What the machine has for a stage: an engine, or a reason why it cannot run. */
export type Availability =
  | { readonly engine: string | null; readonly version: string | null }
  | { readonly missing: { readonly reason: string; readonly fix: string } };

/**
 * Places the stages of an experiment, producers first. A stage that cannot run is left out with its reason if it says
 * `whenMissing: skip`; whatever cannot do without it is left out too. Otherwise all that is missing is one error.
 */
export function placeStages(
  experiment: Experiment,
  definitions: ReadonlyMap<string, StageDefinition>,
  availability: (stage: ExperimentStage, definition: StageDefinition) => Availability,
): { nodes: readonly Node[]; absent: readonly Absence[] } {
  const nodes = new Map<string, Node>();
  const absent = new Map<string, Absence>();
  for (const stage of experiment.stages) {
    const definition = definitions.get(stage.use);
    if (definition === undefined) throw new FathomError('internal', `stage "${stage.use}" is not in the registry`);
    const available = availability(stage, definition);
    if ('missing' in available) {
      if (stage.whenMissing === 'stop')
        throw new FathomError('unavailable', `stage "${stage.name}" (${stage.use}): ${available.missing.reason}`, {
          hint: `${available.missing.fix}; or set ${stage.name}.whenMissing=skip to run without it`,
        });
      absent.set(stage.name, { stage: stage.name, use: stage.use, ...available.missing });
      continue;
    }
    const from: Record<string, { source: Source; producer: Node }[]> = {};
    let lacking: string | undefined;
    for (const [port, sources] of Object.entries(stage.from)) {
      const there = sources.flatMap((source) => {
        const producer = nodes.get(source.stage);
        return producer === undefined ? [] : [{ source, producer }];
      });
      const declared = definition.inputs[port] as InputPort;
      const dropped = sources.find((source) => absent.has(source.stage));
      if (dropped !== undefined && there.length === 0 && !declared.optional) lacking = dropped.stage;
      if (there.length > 0) from[port] = there;
    }
    if (lacking !== undefined) {
      const cause = absent.get(lacking) as Absence;
      absent.set(stage.name, {
        stage: stage.name,
        use: stage.use,
        reason: `needs "${lacking}", which is absent`,
        fix: cause.fix,
      });
      continue;
    }
    const producers = Object.values(from).flat();
    nodes.set(stage.name, {
      stage,
      definition,
      level: producers.reduce((level, { producer }) => Math.max(level, readyLevel(producer) + 1), 0),
      folds:
        stage.each === 'fold'
          ? elementsAbove(
              'fold',
              stage,
              producers.map((p) => p.producer),
            )
          : undefined,
      shards:
        stage.each === 'shard'
          ? elementsAbove(
              'shard',
              stage,
              producers.map((p) => p.producer),
            )
          : undefined,
      swept: experiment.sweep?.stage === stage.name,
      engine: available.engine,
      engineVersion: available.version,
      from,
    });
  }
  return { nodes: [...nodes.values()], absent: [...absent.values()] };
}

function elementsAbove(axis: 'fold' | 'shard', stage: ExperimentStage, producers: readonly Node[]): number {
  for (const producer of producers) {
    const count = producer.definition.elements?.(producer.stage.params)[axis];
    if (count !== undefined) return count;
  }
  for (const producer of producers) {
    const inherited = axis === 'fold' ? producer.folds : producer.shards;
    if (inherited !== undefined) return inherited;
  }
  throw new FathomError(
    'experiment',
    `stage "${stage.name}" says each: ${axis}, but none of its inputs makes ${axis}s`,
  );
}
