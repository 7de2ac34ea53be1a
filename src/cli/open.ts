/** What several commands begin with: an experiment file, its session, or the folder of a run. */
import path from 'node:path';
import { FathomError } from '../errors.ts';
import type { Experiment } from '../experiment/types.ts';
import { openSession, reopenSession, type Session } from '../run/session.ts';
import { shellQuote } from '../slurm/quote.ts';
import { loadRegistry } from '../stages/registry.ts';
import type { CliEffects } from './effects.ts';
import { loadForCli } from './load.ts';

/** Arguments that name an experiment. */
export interface ExperimentArgs {
  readonly experiment: string;
  readonly overrides: readonly string[];
  readonly results?: string | undefined;
  /** Keep results of stages whose code has changed but whose version has not. */
  readonly acceptCode?: boolean | undefined;
}

export function resultsFolder(args: { readonly results?: string | undefined }, effects: CliEffects): string {
  return path.resolve(effects.cwd, args.results ?? effects.env['FATHOM_RESULTS'] ?? 'results');
}

export async function openPlanned(args: ExperimentArgs, effects: CliEffects): Promise<Session> {
  const definitions = await loadRegistry(effects.env);
  return openSession({
    experiment: await loadForCli(args, effects, definitions),
    definitions,
    results: resultsFolder(args, effects),
    cwd: effects.cwd,
    acceptCode: args.acceptCode === true,
  });
}

/**
 * The session of a run folder, or of an experiment file: commands that look at runs take either, so that a person
 * need not know the id.
 */
export async function openRunOrExperiment(args: ExperimentArgs, effects: CliEffects): Promise<Session> {
  if (/\.ya?ml$/.test(args.experiment)) return openPlanned(args, effects);
  if (args.overrides.length > 0)
    throw new FathomError(
      'usage',
      `overrides change an experiment file, but ${args.experiment} is the folder of a run`,
    );
  return reopenSession(path.resolve(effects.cwd, args.experiment), await loadRegistry(effects.env));
}

/**
 * The command that makes a run again, quoted for a shell, with the variables of the environment that the experiment
 * refers to.
 */
export function commandOf(experiment: Experiment, env: CliEffects['env']): string {
  const variables = new Set<string>();
  for (const origin of experiment.origins.values())
    if (origin.kind === 'env' && !origin.fellBack) variables.add(origin.name);
  const settings = [...variables].map((name) => `${name}=${shellQuote(env[name] ?? '')}`);
  return [...settings, 'bin/fathom', 'run', experiment.file, ...experiment.overrides.map(shellQuote)].join(' ');
}
