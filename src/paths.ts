/** Where Fathom itself lies, whether it runs compiled or, under the test runner, from its sources. */
import path from 'node:path';

/** The folder that holds package.json. */
export const packageRoot = path.resolve(import.meta.dirname, '..');

/** Compiled code; workers and child processes are always started from here. */
export const compiledRoot = path.join(packageRoot, 'dist');
