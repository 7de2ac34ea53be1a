/** `fathom task`: runs one line of a plan, as an index of a SLURM array does. */
import { EXIT, FathomError } from '../errors.ts';
import { slotsOf } from '../run/machine.ts';
import { runPlan } from '../run/run.ts';
import { reopenSession } from '../run/session.ts';
import { readStates } from '../run/states.ts';
import { loadRegistry } from '../stages/registry.ts';
import type { CliEffects } from './effects.ts';

export interface TaskArgs {
  readonly run: string;
  readonly round: number;
  readonly index: number;
}

export async function task(args: TaskArgs, effects: CliEffects): Promise<number> {
  const definitions = await loadRegistry(effects.env);
  const session = await reopenSession(args.run, definitions);
  if ((await readStates(session.paths, args.round)).get(args.index) === 'done') {
    effects.err(`round ${args.round} index ${args.index} is done already`);
    return EXIT.ok;
  }
  const plan = await session.plan();
  const tasks = plan.rounds[args.round];
  if (tasks === undefined && plan.problem !== undefined) throw plan.problem;
  if (tasks === undefined)
    throw new FathomError(
      'task',
      `round ${args.round} is not known yet: a trial of the sweep has neither ended nor failed`,
      {
        hint: `the plan has ${plan.rounds.length} of ${plan.shape.rounds.length} rounds; run the rounds before it first`,
      },
    );
  const one = tasks[args.index];
  if (one === undefined)
    throw new FathomError('usage', `round ${args.round} has ${tasks.length} tasks; there is no index ${args.index}`);
  if (!session.hasCodeOf(one))
    throw new FathomError('unavailable', `the code of ${one.use} has changed since the plan was made`, {
      hint: 'plan and submit again',
    });
  for (const input of Object.values(one.inputs).flat())
    if (!(await session.store.has(input.task)))
      throw new FathomError('task', `${one.stage} needs ${input.stage}, whose task ${input.task} is not done`);
  const stop = new AbortController();
  const kill = new AbortController();
  for (const signal of ['SIGUSR2', 'SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => (stop.signal.aborted ? kill.abort() : stop.abort()));
  const outcome = await runPlan(
    session,
    {
      slots: slotsOf(effects.env, {}),
      onError: 'continue',
      stop: stop.signal,
      kill: kill.signal,
      // By its place: two indices may be the same task, and each writes its own marker.
      only: (other) => other.round === one.round && other.index === one.index,
    },
    {
      env: effects.env,
      output: { write: (text) => process.stderr.write(text), isTerminal: false, columns: 80 },
      log: effects.err,
    },
  );
  if (outcome.interrupted) return EXIT.interrupted;
  return outcome.failed.length > 0 ? EXIT.taskFailed : EXIT.ok;
}
