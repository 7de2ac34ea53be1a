/** Where things lie under the results folder. Everything is a file that can be copied with rsync. */
import path from 'node:path';

/** The artifact store: `<results>/store`. */
export interface StorePaths {
  readonly root: string;
  readonly artifact: (task: string) => string;
  readonly manifest: (task: string) => string;
  readonly provenance: (task: string) => string;
  /** A file a task that somebody is at. */
  readonly claims: string;
  readonly checkpoint: (task: string) => string;
  readonly staging: string;
  readonly scratch: string;
}

export function storePaths(results: string): StorePaths {
  const root = path.join(results, 'store');
  const artifact = (task: string): string => path.join(root, task.slice(0, 2), task);
  return {
    root,
    artifact,
    manifest: (task) => path.join(artifact(task), 'manifest.json'),
    provenance: (task) => path.join(artifact(task), 'provenance.json'),
    claims: path.join(root, 'claims'),
    checkpoint: (task) => path.join(root, 'checkpoints', task),
    staging: path.join(root, 'staging'),
    scratch: path.join(root, 'scratch'),
  };
}

/** A run's folder: `<results>/<experiment>/<run>`. */
export interface RunPaths {
  readonly root: string;
  readonly experiment: string;
  readonly run: string;
  readonly shape: string;
  readonly round: (round: number) => string;
  readonly state: (round: number, index: number, state: string) => string;
  readonly states: (round: number) => string;
  readonly report: string;
  readonly log: string;
  readonly slurm: string;
}

export function runPaths(root: string): RunPaths {
  const name = (round: number): string => String(round).padStart(3, '0');
  return {
    root,
    experiment: path.join(root, 'experiment.json'),
    run: path.join(root, 'run.json'),
    shape: path.join(root, 'plan', 'shape.json'),
    round: (round) => path.join(root, 'plan', `${name(round)}.jsonl`),
    states: (round) => path.join(root, 'state', name(round)),
    state: (round, index, state) => path.join(root, 'state', name(round), `${index}.${state}`),
    report: path.join(root, 'report.html'),
    log: path.join(root, 'run.log'),
    slurm: path.join(root, 'slurm'),
  };
}
