/** `fathom doctor`: what this node has, what it lacks, and what each lack costs. */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { EXIT } from '../errors.ts';
import { compiledRoot } from '../paths.ts';
import { slotsOf } from '../run/machine.ts';
import { loadRegistry } from '../stages/registry.ts';
import type { CliEffects } from './effects.ts';
import { resultsFolder } from './open.ts';

export interface DoctorArgs {
  readonly json: boolean;
  /** Look only; run no known-answer tests. */
  readonly quick: boolean;
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
  const tests = args.quick ? [] : await testFacts(effects);
  if (args.json) effects.out(JSON.stringify({ facts, stages, tests }));
  else {
    for (const { name, found, detail, fix } of [...facts, ...stages, ...tests]) {
      effects.out(`${found ? 'ok  ' : 'lack'}  ${name}: ${detail}`);
      if (!found && fix !== undefined) effects.out(`      ${fix}`);
    }
  }
  return tests.some(({ found }) => !found) ? EXIT.taskFailed : EXIT.ok;
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

const TEST_SECONDS = 60;

/** Known-answer tests of what is there, one process each: a library that crashes takes only that with it. */
async function testFacts(effects: CliEffects): Promise<Fact[]> {
  const [{ selfTests, selfTestNeeds }, { execFile }] = await Promise.all([
    import('./self-tests.ts'),
    import('node:child_process'),
  ]);
  const present = await presentLibraries();
  const facts: Fact[] = [];
  for (const name of Object.keys(selfTests) as (keyof typeof selfTests)[]) {
    const needed = selfTestNeeds[name];
    if (needed !== undefined && !present.has(needed)) continue;
    const started = performance.now();
    const result = await new Promise<{ passed: boolean; detail: string }>((resolve) => {
      const script = path.join(compiledRoot, 'cli', 'self-test-process.js');
      const env = Object.fromEntries(Object.entries(effects.env).filter(([, value]) => value !== undefined));
      execFile(process.execPath, [script, name], { env, timeout: TEST_SECONDS * 1000 }, (error, out) => {
        const line = out.trim().split('\n').at(-1) ?? '';
        try {
          resolve(JSON.parse(line) as { passed: boolean; detail: string });
        } catch {
          resolve({
            passed: false,
            detail: error?.killed === true ? `no answer in ${TEST_SECONDS} s` : 'the process died',
          });
        }
      });
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    facts.push({
      name: `Test of ${name}`,
      found: result.passed,
      detail: `${result.detail} (${seconds} s)`,
      fix: 'this engine gives wrong results here: choose another, and please report the line above',
    });
  }
  return facts;
}

async function presentLibraries(): Promise<ReadonlySet<string>> {
  const requirements = await Promise.all([
    import('../native/find.ts').then((module) => module.xgboostRequirement),
    import('../native/openblas.ts').then((module) => module.openblasRequirement),
    import('../native/find-cuda.ts').then((module) => module.cudaRequirement),
    import('../native/tensorflow.ts').then((module) => module.tensorflowRequirement),
  ]);
  const present = new Set<string>();
  for (const requirement of requirements) if ((await requirement.probe()).found) present.add(requirement.name);
  return present;
}
