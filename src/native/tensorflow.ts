/** TensorFlow.js on a TensorFlow library: finds the package, and loads it in a process of its own. */
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Requirement } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { type NativeSystem, thisMachine } from './system.ts';

const TENSORFLOW_FIX =
  'run `make tensorflow`, which builds the binding against pip’s TensorFlow, or install @tensorflow/tfjs-node-gpu (docs/engines.md)';

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;
/** What the package's own installation, or ours, leaves once the binding is built. */
const BINDING = 'lib/napi-v8/tfjs_binding.node';

export type TensorflowSearch =
  | { readonly found: true; readonly version: string; readonly path: string }
  | { readonly found: false; readonly reason: string; readonly fix: string };

/** The package that would be used: `make tensorflow`'s, or one that npm installed beside Fathom. Loads nothing. */
export function searchTensorflow(system: NativeSystem): TensorflowSearch {
  let half: string | undefined;
  for (const root of [path.join(system.root, '.fathom/native/tensorflow'), system.root])
    for (const name of packages) {
      const folder = path.join(root, 'node_modules', name);
      const text = system.readText(path.join(folder, 'package.json'));
      if (text === undefined) continue;
      if (!system.exists(path.join(folder, BINDING))) {
        half ??= folder;
        continue;
      }
      const { version } = JSON.parse(text) as { version: string };
      const library = system.readText(path.join(root, 'library-version'))?.trim();
      return { found: true, path: folder, version: library === undefined ? version : `${version} on ${library}` };
    }
  const reason = half === undefined ? 'TensorFlow.js was not found' : `${half} has no binding (${BINDING})`;
  return { found: false, reason, fix: TENSORFLOW_FIX };
}

/** For stages: what the plan asks for before it counts on TensorFlow. */
export const tensorflowRequirement: Requirement = {
  name: 'tensorflow',
  probe: async () => searchTensorflow(thisMachine()),
};

/** Loads the package; the caller knows its type. */
export function loadTensorflow(system: NativeSystem = thisMachine()): {
  readonly tf: unknown;
  readonly version: string;
} {
  const search = searchTensorflow(system);
  if (!search.found) throw new FathomError('unavailable', search.reason, { hint: search.fix });
  try {
    return { tf: createRequire(import.meta.url)(search.path) as unknown, version: search.version };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new FathomError('unavailable', `${search.path} cannot be loaded: ${reason}`, {
      hint: TENSORFLOW_FIX,
      cause: error,
    });
  }
}
