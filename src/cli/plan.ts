/** `fathom plan`: what would run, and why. Nothing runs and nothing is written. */
import { EXIT } from '../errors.ts';
import { describeTask, type Task } from '../plan/types.ts';
import { previousManifests, whyItRuns } from '../run/why.ts';
import type { CliEffects } from './effects.ts';
import { type ExperimentArgs, openPlanned } from './open.ts';

export interface PlanArgs extends ExperimentArgs {
  readonly json: boolean;
  /** Every task, not only stages. */
  readonly tasks: boolean;
}

export async function plan(args: PlanArgs, effects: CliEffects): Promise<number> {
  const session = await openPlanned(args, effects);
  const made = await session.plan({ write: false });
  const before = await previousManifests(session);
  const done = new Map<string, boolean>();
  for (const task of made.rounds.flat()) done.set(task.id, await session.store.has(task.id));
  const reasons = new Map<string, string>();
  for (const task of made.rounds.flat())
    reasons.set(task.id, done.get(task.id) === true ? 'done' : whyItRuns(task, before, (id) => done.get(id) === true));
  if (args.json) {
    effects.out(
      JSON.stringify({
        experiment: session.experiment.name,
        run: session.run,
        shape: made.shape,
        tasks: made.rounds.flat().map((task) => ({
          id: task.id,
          round: task.round,
          index: task.index,
          stage: task.stage,
          coordinates: task.coordinates,
          done: done.get(task.id),
          why: reasons.get(task.id),
        })),
      }),
    );
    return EXIT.ok;
  }
  effects.out(`${session.experiment.name}: run ${session.id} in ${made.shape.rounds.length} rounds`);
  for (const [round, { stages }] of made.shape.rounds.entries()) {
    const tasks = made.rounds[round];
    for (const { stage, tasks: count } of stages) {
      const own = tasks?.filter((task) => task.stage === stage);
      if (own === undefined)
        effects.out(`  ${round}  ${stage}: ${count} task${count === 1 ? '' : 's'}, known when the sweep has a winner`);
      else summarise(round, stage, own, reasons, args.tasks, effects);
    }
  }
  for (const { stage, use, reason, fix } of made.shape.absent)
    effects.out(`  -  ${stage} (${use}) absent: ${reason}. ${fix}`);
  const total = made.shape.rounds.reduce((sum, round) => sum + round.tasks, 0);
  const finished = [...done.values()].filter(Boolean).length;
  effects.out(`${total} tasks, ${finished} done, ${total - finished} to run`);
  return EXIT.ok;
}

function summarise(
  round: number,
  stage: string,
  tasks: readonly Task[],
  reasons: ReadonlyMap<string, string>,
  each: boolean,
  effects: CliEffects,
): void {
  if (each) {
    for (const task of tasks)
      effects.out(`  ${round}  ${describeTask(task)} ${task.id.slice(0, 10)}: ${reasons.get(task.id)}`);
    return;
  }
  const counts = new Map<string, number>();
  for (const task of tasks) {
    const reason = reasons.get(task.id) as string;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const text = [...counts].map(([reason, count]) => (tasks.length === 1 ? reason : `${count} ${reason}`)).join('; ');
  effects.out(`  ${round}  ${stage}: ${tasks.length} task${tasks.length === 1 ? '' : 's'}: ${text}`);
}
