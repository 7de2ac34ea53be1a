/** Asks a library what it is, in a short process of its own: a file that crashes when loaded takes only that with it. */
import { packageRoot } from '../paths.ts';
import type { NativeSystem } from './system.ts';

export type Inspection =
  | {
      readonly version: string;
      /** What `XGBuildInfo` says: compiler, `USE_CUDA`, `USE_NCCL` and more. */
      readonly build: Readonly<Record<string, unknown>>;
    }
  | { readonly error: string };

const SCRIPT = `
const { createRequire } = await import('node:module');
const koffi = createRequire(process.argv[2] + '/')('koffi');
const answer = (value) => console.log(JSON.stringify(value));
try {
  const library = koffi.load(process.argv[1]);
  const [a, b, c] = [[0], [0], [0]];
  library.func('void XGBoostVersion(_Out_ int *a, _Out_ int *b, _Out_ int *c)')(a, b, c);
  const info = [null];
  let build = {};
  try {
    library.func('int XGBuildInfo(_Out_ const char **out)')(info);
    build = JSON.parse(info[0]);
  } catch {}
  answer({ version: [a[0], b[0], c[0]].join('.'), build });
} catch (error) {
  answer({ error: String(error.message).split('\\n')[0] });
}`;

/** Loads the library in another Node and returns its version and build. About 0.1 s. */
export function inspectXgboost(system: Pick<NativeSystem, 'run'>, file: string): Inspection {
  const text = system.run(process.execPath, ['--input-type=module', '-e', SCRIPT, file, packageRoot]);
  if (text === undefined) return { error: 'loading it ends the process' };
  return JSON.parse(text) as Inspection;
}
