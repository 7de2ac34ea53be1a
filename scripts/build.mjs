/** Builds dist/: types and code, kernels, the page's own script and style, and the hashes of the code behind stages. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

function step(name, command, args) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(`build: ${name} failed\n${stdout}${stderr}`);
    process.exit(1);
  }
  process.stderr.write(`build: ${name} ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

step('code', path.join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.json']);
for (const [name, script] of [
  ['kernels', 'build-kernels.mjs'],
  ['report', 'build-report.mjs'],
  ['numerics', 'numerics.mjs'],
])
  if (existsSync(path.join(root, 'scripts', script)))
    step(name, process.execPath, [path.join(root, 'scripts', script)]);
