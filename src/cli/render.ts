/** `fathom render`: the experiment with all defaults, bases, references and overrides resolved, as YAML. */
import { EXIT } from '../errors.ts';
import { renderYaml } from '../experiment/render.ts';
import type { Registry } from '../experiment/stages.ts';
import type { CliEffects } from './effects.ts';
import { type ExperimentFileArgs, loadForCli } from './load.ts';

export async function render(
  args: ExperimentFileArgs & { readonly origins?: boolean | undefined },
  effects: CliEffects,
  stages: Registry,
): Promise<number> {
  const experiment = await loadForCli(args, effects, stages);
  for (const line of renderYaml(experiment, { origins: args.origins ?? false })) effects.out(line);
  return EXIT.ok;
}
