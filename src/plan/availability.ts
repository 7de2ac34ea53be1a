/** Asks the machine what it has for each stage, once a requirement. */

import type { Requirement, StageDefinition } from '../contract/stage.ts';
import type { Experiment } from '../experiment/types.ts';
import type { Availability } from './nodes.ts';

type Probed = Awaited<ReturnType<Requirement['probe']>>;

/** Availability by instance name. Probes run at most once each; none runs for stages that need nothing. */
export async function probeStages(
  experiment: Experiment,
  definitions: ReadonlyMap<string, StageDefinition>,
): Promise<ReadonlyMap<string, Availability>> {
  const probes = new Map<string, Promise<Probed>>();
  const probe = (requirement: Requirement): Promise<Probed> => {
    const found = probes.get(requirement.name) ?? requirement.probe();
    probes.set(requirement.name, found);
    return found;
  };
  const result = new Map<string, Availability>();
  for (const stage of experiment.stages) {
    const definition = definitions.get(stage.use);
    if (definition !== undefined)
      result.set(
        stage.name,
        await availabilityOf(definition, stage.engine ?? 'auto', experiment.resources.device, probe),
      );
  }
  return result;
}

async function availabilityOf(
  definition: StageDefinition,
  wanted: string,
  device: Experiment['resources']['device'],
  probe: (requirement: Requirement) => Promise<Probed>,
): Promise<Availability> {
  let version: string | null = null;
  if (definition.requires !== undefined) {
    const found = await probe(definition.requires);
    if (!found.found) return { missing: { reason: found.reason, fix: found.fix } };
    version = found.version;
  }
  if (definition.engines === undefined) return { engine: null, version };
  let lacking: { reason: string; fix: string } | undefined;
  const onGpu = definition.engines.some((engine) => engine.gpus !== undefined);
  for (const engine of definition.engines) {
    if (wanted === 'auto' ? !suits(engine.gpus !== undefined, device, onGpu) : wanted !== engine.name) continue;
    if (engine.requires === undefined) return { engine: engine.name, version };
    const found = await probe(engine.requires);
    if (found.found) return { engine: engine.name, version: found.version };
    lacking ??= { reason: `engine "${engine.name}" is not there: ${found.reason}`, fix: found.fix };
  }
  const names = definition.engines.map((engine) => engine.name).join(', ');
  return { missing: lacking ?? { reason: `there is no engine "${wanted}"`, fix: `choose one of auto, ${names}` } };
}

/** Whether `auto` may take an engine: on the device that was asked for, where the stage has an engine for it at all. */
function suits(usesGpu: boolean, device: Experiment['resources']['device'], onGpu: boolean): boolean {
  if (device === 'cpu') return !usesGpu;
  return device === 'auto' || !onGpu || usesGpu;
}
