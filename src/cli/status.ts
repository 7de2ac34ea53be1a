/** `fathom status`: how far a run is, read from its markers alone. */
import { EXIT } from '../errors.ts';
import { describeTask } from '../plan/types.ts';
import { readMarker, readStates } from '../run/states.ts';
import type { CliEffects } from './effects.ts';
import { type ExperimentArgs, openRunOrExperiment } from './open.ts';

export interface StatusArgs extends ExperimentArgs {
  readonly json: boolean;
}

const MOST_FAILURES = 20;

export async function status(args: StatusArgs, effects: CliEffects): Promise<number> {
  const session = await openRunOrExperiment(args, effects);
  const plan = await session.plan({ write: false });
  const totals = { pending: 0, done: 0, failed: 0, interrupted: 0 };
  const stages = new Map<string, typeof totals>();
  const failures: { stage: string; message: string }[] = [];
  for (const [round, { stages: declared }] of plan.shape.rounds.entries()) {
    const markers = await readStates(session.paths, round);
    const tasks = plan.rounds[round];
    if (tasks === undefined) {
      for (const { stage, tasks: count } of declared) {
        const counts = stages.get(stage) ?? { pending: 0, done: 0, failed: 0, interrupted: 0 };
        counts.pending += count;
        totals.pending += count;
        stages.set(stage, counts);
      }
      continue;
    }
    for (const task of tasks) {
      const state = markers.get(task.index) ?? 'pending';
      const counts = stages.get(task.stage) ?? { pending: 0, done: 0, failed: 0, interrupted: 0 };
      counts[state]++;
      totals[state]++;
      stages.set(task.stage, counts);
      if (state === 'failed') {
        const marker = await readMarker(session.paths, task, state);
        failures.push({ stage: describeTask(task), message: marker?.error?.message ?? 'no reason was written' });
      }
    }
  }
  const total = totals.pending + totals.done + totals.failed + totals.interrupted;
  if (args.json) {
    effects.out(
      JSON.stringify({
        experiment: session.experiment.name,
        run: session.run,
        total,
        ...totals,
        stages: Object.fromEntries(stages),
        failures,
      }),
    );
  } else {
    effects.out(`${session.experiment.name}: run ${session.id}`);
    for (const [stage, counts] of stages) {
      const own = counts.pending + counts.done + counts.failed + counts.interrupted;
      const rest = (['failed', 'interrupted', 'pending'] as const)
        .filter((state) => counts[state] > 0)
        .map((state) => `${counts[state]} ${state}`);
      effects.out(`  ${stage}: ${counts.done}/${own} done${rest.length > 0 ? `, ${rest.join(', ')}` : ''}`);
    }
    for (const { stage, message } of failures.slice(0, MOST_FAILURES)) effects.out(`  ! ${stage}: ${message}`);
    if (failures.length > MOST_FAILURES) effects.out(`  ! and ${failures.length - MOST_FAILURES} more`);
    effects.out(`${totals.done}/${total} tasks done`);
  }
  return totals.failed > 0 ? EXIT.taskFailed : EXIT.ok;
}
