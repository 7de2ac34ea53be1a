/** How each task of a run ended: one marker file a task, written by rename. No marker means pending. */
import { readdir, readFile, rm } from 'node:fs/promises';
import type { ErrorData } from '../errors.ts';
import { writeAtomically } from '../store/files.ts';
import type { RunPaths } from '../store/layout.ts';

export const markerStates = ['done', 'failed', 'interrupted'] as const;
export type MarkerState = (typeof markerStates)[number];
export type TaskState = MarkerState | 'pending';

export interface Marker {
  readonly state: MarkerState;
  readonly task: string;
  readonly seconds?: number;
  readonly error?: ErrorData;
  readonly exitCode?: number;
}

type TaskPlace = { readonly round: number; readonly index: number };

/** Writes a marker and removes those of other states. */
export async function writeMarker(
  paths: RunPaths,
  place: TaskPlace,
  marker: Marker,
  before: TaskState | undefined,
): Promise<void> {
  await writeAtomically(paths.state(place.round, place.index, marker.state), `${JSON.stringify(marker)}\n`);
  if (before !== 'pending' && before !== marker.state)
    for (const other of markerStates)
      if (other !== marker.state) await rm(paths.state(place.round, place.index, other), { force: true });
}

/** States of a round by index; a `done` marker wins over older ones. */
export async function readStates(paths: RunPaths, round: number): Promise<Map<number, MarkerState>> {
  const states = new Map<number, MarkerState>();
  for (const name of await readdir(paths.states(round)).catch(() => [])) {
    const [index, state] = name.split('.');
    if (!markerStates.includes(state as MarkerState) || name.endsWith('.tmp')) continue;
    if (states.get(Number(index)) !== 'done') states.set(Number(index), state as MarkerState);
  }
  return states;
}

export async function readMarker(paths: RunPaths, place: TaskPlace, state: MarkerState): Promise<Marker | undefined> {
  try {
    return JSON.parse(await readFile(paths.state(place.round, place.index, state), 'utf8')) as Marker;
  } catch {
    return undefined;
  }
}
