/** UMAP's layout on a team of threads: passes over the edges, each drawn as often as its weight says. */
import type { Pointer } from '../kernels/kernels.ts';
import type { Team } from '../kernels/team.ts';
import type { Rng } from '../random/rng.ts';
import type { Graph } from './graph.ts';
import type { Plane } from './matrix.ts';
import type { Curve } from './umap-curve.ts';

/** Fields of `Pass` in kernels/umap.ts, in its order; each takes four bytes. */
const words = [
  ...['first', 'rows', 'population', 'turns', 'turn', 'number', 'seed', 'rate', 'draws', 'pull', 'a', 'b'],
  ...['points', 'moved', 'starts', 'targets', 'periods', 'due', 'scratch', 'room'],
] as const;
type Word = (typeof words)[number];

const ROWS_A_PIECE = 128;
/**
 * Rows of one turn do not see each other move. With neighbours in different turns (rows stand in an order in which near
 * ones stand together), the layout is as good as if rows moved one by one.
 */
const TURNS = 16;

export interface LayoutOptions {
  readonly passes: number;
  /** Step size of the first pass; falls to 0. */
  readonly learningRate: number;
  /** Random rows for each pull. */
  readonly negativeSamples: number;
}

/**
 * Moves points of the plane in place.
 * @param graph edges of the rows that move; its targets are rows of `points`
 * @param points all points: those that stand still first, then those that move, as many as the graph has rows
 */
export function layOut(
  team: Team,
  graph: Graph,
  points: Plane,
  curve: Curve,
  { passes, learningRate, negativeSamples }: LayoutOptions,
  rng: Rng,
  onProgress?: (done: number, total: number) => void,
): void {
  const { arena, kernels } = team;
  const { rows } = graph;
  const first = points.length / 2 - rows;
  const job = arena.take(4 * words.length);
  const integers = arena.words(job, words.length);
  const reals = arena.floats(job, words.length);
  const set = (name: Word, value: number): void => {
    integers[words.indexOf(name)] = value;
  };
  const setReal = (name: Word, value: number): void => {
    reals[words.indexOf(name)] = value;
  };
  const place = (name: Word, bytes: number): Pointer => {
    const at = arena.take(bytes);
    set(name, at);
    return at;
  };
  set('first', first);
  set('rows', rows);
  // Where all rows move, any of them may be drawn; otherwise only those that stand.
  set('population', first === 0 ? rows : first);
  set('turns', TURNS);
  set('draws', negativeSamples);
  setReal('pull', first === 0 ? 2 : 1);
  setReal('a', curve.a);
  setReal('b', curve.b);
  const places = arena.floats(place('points', 4 * points.length), points.length);
  places.set(points);
  place('moved', 8 * rows);
  const largest = graph.weights.reduce((most, weight) => Math.max(most, weight), 0);
  // Others would not be due once.
  const isDrawn = (weight: number): boolean => weight * passes >= largest;
  const starts = arena.words(place('starts', 4 * (rows + 1)), rows + 1);
  const count = countEdges(graph, isDrawn, starts);
  const targets = arena.words(place('targets', 4 * count), count);
  const periods = arena.floats(place('periods', 4 * count), count);
  let drawn = 0;
  for (const [edge, weight] of graph.weights.entries()) {
    if (!isDrawn(weight)) continue;
    targets[drawn] = graph.targets[edge] as number;
    periods[drawn++] = largest / weight;
  }
  arena.floats(place('due', 4 * count), count).set(periods);
  const room = 8 * (ROWS_A_PIECE + Math.ceil(mostEdges(starts) / 2));
  set('room', room);
  place('scratch', room * team.threads);
  for (let pass = 0; pass < passes; pass++) {
    setReal('number', pass);
    setReal('rate', learningRate * (1 - pass / passes));
    set('seed', rng.uint32());
    for (let turn = 0; turn < TURNS && turn < rows; turn++) {
      set('turn', turn);
      team.run('umapMove', Math.ceil((rows - turn) / (TURNS * ROWS_A_PIECE)), job);
      kernels.umapSettle(job);
    }
    onProgress?.(pass + 1, passes);
  }
  points.set(places);
}

/** Writes where the edges of each row begin when only some are kept, and returns how many those are. */
function countEdges({ rows, starts, weights }: Graph, isKept: (weight: number) => boolean, kept: Int32Array): number {
  let count = 0;
  kept[0] = 0;
  for (let i = 0; i < rows; i++) {
    for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++)
      if (isKept(weights[edge] as number)) count++;
    kept[i + 1] = count;
  }
  return count;
}

/** Most edges that the rows of one piece of a turn have. */
function mostEdges(starts: Int32Array): number {
  let most = 0;
  const stretch = TURNS * ROWS_A_PIECE;
  for (let first = 0; first < starts.length - 1; first += stretch)
    for (let turn = first; turn < first + TURNS; turn++) {
      let edges = 0;
      for (let i = turn; i < Math.min(first + stretch, starts.length - 1); i += TURNS)
        edges += (starts[i + 1] as number) - (starts[i] as number);
      most = Math.max(most, edges);
    }
  return most;
}
