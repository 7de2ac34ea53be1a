/** Reads an experiment file for a command. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadExperiment } from '../experiment/load.ts';
import type { Registry } from '../experiment/stages.ts';
import type { Experiment } from '../experiment/types.ts';
import type { CliEffects } from './effects.ts';

export interface ExperimentFileArgs {
  readonly experiment: string;
  readonly overrides?: readonly string[] | undefined;
}

export function loadForCli(args: ExperimentFileArgs, effects: CliEffects, stages: Registry): Promise<Experiment> {
  return loadExperiment({
    file: args.experiment,
    overrides: args.overrides ?? [],
    env: effects.env,
    readFile: (file) => readFile(path.resolve(effects.cwd, file), 'utf8'),
    stages,
  });
}
