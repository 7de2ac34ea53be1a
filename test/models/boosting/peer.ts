/** Runs XGBoost's own Python package beside ours, where `make test` has installed it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { searchXgboost } from '../../../src/native/find.ts';
import { thisMachine } from '../../../src/native/system.ts';
import { packageRoot } from '../../../src/paths.ts';

/** The library that stages use here; undefined with the reason in `whyNoXgboost`. */
const search = searchXgboost(thisMachine());
export const xgboostPath: string | undefined = search.found ? search.path : undefined;
export const whyNoXgboost: string = search.found ? '' : search.reason;

const native = path.join(packageRoot, '.fathom/native');
const env = { ...process.env, PYTHONPATH: `${native}/python:${native}/python-test`, OMP_NUM_THREADS: '1' };

/** Why Python cannot be asked; undefined if it can, and brings the library that we use. */
export const whyNoPeer: string | undefined = (() => {
  if (!search.found) return search.reason;
  try {
    const version = execFileSync('python3', ['-c', 'import xgboost; print(xgboost.__version__)'], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return version === search.version ? undefined : `python3 has xgboost ${version}, the stages use ${search.version}`;
  } catch {
    return 'python3 cannot import xgboost: `make test-tools` installs numpy and scipy for it';
  }
})();

export interface PeerJob {
  /** By the names of XGBoost's documentation. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly rounds: number;
  readonly earlyStoppingRounds: number;
  readonly names: readonly string[];
  readonly nthread: number;
  /** Codes of train, validation and test in `sets`. */
  readonly codes: readonly [number, number, number];
  /** `c` for codes of categories, `q` for numbers. */
  readonly types: readonly string[] | null;
  /** Row-major, NaN where missing. */
  readonly features: Float32Array;
  /** One a row, or rows x targets. */
  readonly labels: Float32Array;
  readonly weights?: Float32Array | undefined;
  readonly queries?: Int32Array | undefined;
  readonly sets: Int32Array;
  /** A model that we trained. */
  readonly ours: Uint8Array;
}

export interface PeerAnswer {
  readonly version: string;
  /** Best round from 0; null without early stopping. */
  readonly best: number | null;
  readonly oursBest: string | null;
  readonly oursNames: readonly string[];
  readonly oursTypes: readonly string[] | null;
  readonly gain: Readonly<Record<string, number>>;
  readonly oursGain: Readonly<Record<string, number>>;
  readonly validation: Float32Array;
  readonly test: Float32Array;
  /** What our model predicts for the test rows when Python opens it. */
  readonly oursInPython: Float32Array;
  /** SHAP values of our model for the test rows, by Python. */
  readonly contributions: Float32Array;
  /** The model that Python trained, as JSON. */
  readonly model: Uint8Array;
}

/** @param folder an empty one */
export function askPeer(folder: string, job: PeerJob): PeerAnswer {
  const { features, labels, weights, queries, sets, ours, ...rest } = job;
  const file = (name: string): string => path.join(folder, name);
  writeFileSync(file('features.f32'), features);
  writeFileSync(file('labels.f32'), labels);
  writeFileSync(file('sets.i32'), sets);
  writeFileSync(file('ours.json'), ours);
  if (weights !== undefined) writeFileSync(file('weights.f32'), weights);
  if (queries !== undefined) writeFileSync(file('queries.i32'), queries);
  const given = { weighted: weights !== undefined, queried: queries !== undefined };
  writeFileSync(file('job.json'), JSON.stringify({ ...rest, ...given }));
  execFileSync('python3', [path.join(import.meta.dirname, 'peer.py'), folder], { env, stdio: 'pipe' });
  const floats = (name: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(file(name))).buffer);
  return {
    ...(JSON.parse(readFileSync(file('answer.json'), 'utf8')) as Omit<PeerAnswer, 'validation' | 'test'>),
    validation: floats('validation.f32'),
    test: floats('test.f32'),
    oursInPython: floats('ours.f32'),
    contributions: floats('contributions.f32'),
    model: readFileSync(file('python.json')),
  };
}
