/** `fathom doctor`: what this node has, what it lacks, and what each lack costs. */
import { statfs } from 'node:fs/promises';
import { EXIT } from '../errors.ts';
import { slotsOf } from '../run/machine.ts';
import { loadRegistry } from '../stages/registry.ts';
import type { CliEffects } from './effects.ts';
import { resultsFolder } from './open.ts';

export interface DoctorArgs {
  readonly json: boolean;
}

interface Fact {
  readonly name: string;
  readonly found: boolean;
  readonly detail: string;
  readonly fix?: string;
}

export async function doctor(args: DoctorArgs, effects: CliEffects): Promise<number> {
  const facts = [
    ...machineFacts(effects),
    await diskFact(effects),
    await slurmFact(effects),
    ...(await libraryFacts(effects)),
  ];
  const stages = await stageFacts(effects);
  if (args.json) effects.out(JSON.stringify({ facts, stages }));
  else {
    for (const { name, found, detail, fix } of [...facts, ...stages]) {
      effects.out(`${found ? 'ok  ' : 'lack'}  ${name}: ${detail}`);
      if (!found && fix !== undefined) effects.out(`      ${fix}`);
    }
  }
  return EXIT.ok;
}

function machineFacts(effects: CliEffects): Fact[] {
  const slots = slotsOf(effects.env, {});
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  return [
    { name: 'Node', found: supported, detail: process.version, fix: 'Fathom runs on Node 20.19, 22.12, 24 and later' },
    { name: 'Slots', found: true, detail: `${slots.threads} threads, ${slots.memoryMb} MB, ${slots.gpus} GPUs` },
  ];
}

async function diskFact(effects: CliEffects): Promise<Fact> {
  const folder = resultsFolder({}, effects);
  const found = await statfs(folder).catch(() => statfs(effects.cwd));
  const free = (found.bavail * found.bsize) / 1e9;
  return {
    name: 'Disk',
    found: free > 1 && (found.files === 0 || found.ffree > 10_000),
    detail: `${free.toFixed(1)} GB and ${found.ffree} inodes free for results`,
    fix: '`fathom clean` says what may go; --results names another folder',
  };
}

async function slurmFact(effects: CliEffects): Promise<Fact> {
  const [{ realSlurm }, { accounted, maxArraySize }] = await Promise.all([
    import('./real-slurm.ts'),
    import('../slurm/scheduler.ts'),
  ]);
  const slurm = realSlurm(effects);
  try {
    const size = await maxArraySize(slurm);
    // Job 1 may be long gone: the question is only whether accounting answers.
    const history = (await accounted(slurm, [1])) === undefined ? 'no accounting' : 'accounting';
    return { name: 'SLURM', found: true, detail: `arrays of up to ${size} indices, ${history}` };
  } catch (error) {
    return {
      name: 'SLURM',
      found: false,
      detail: error instanceof Error ? error.message : String(error),
      fix: 'needed for `fathom slurm submit` only; `fathom slurm render` works without',
    };
  }
}

async function libraryFacts(effects: CliEffects): Promise<Fact[]> {
  const { probeLibraries } = await import('../native/requirements.ts');
  return probeLibraries(effects.env);
}

/** A line for each stage or engine that something is missing for. */
async function stageFacts(effects: CliEffects): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const definition of (await loadRegistry(effects.env)).values()) {
    for (const requirement of [definition.requires, ...(definition.engines ?? []).map((engine) => engine.requires)]) {
      if (requirement === undefined) continue;
      const probed = await requirement.probe();
      facts.push(
        probed.found
          ? { name: definition.name, found: true, detail: `${requirement.name} ${probed.version}` }
          : { name: definition.name, found: false, detail: probed.reason, fix: probed.fix },
      );
    }
  }
  return facts;
}
