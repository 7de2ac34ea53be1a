/**
 * Writes dist/numerics.json: for each module in dist/stages/run/ the hash of all compiled code that it imports,
 * kernels included, and of the versions of the packages that it uses.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));

/** Static and dynamic imports, packages that are required, and files named by `new URL('...', import.meta.url)`. */
const patterns = [
  /\b(?:import|export)\b[^'"();]*?\bfrom\s*['"]([^'"]+)['"]/g,
  /\bimport\s*['"]([^'"]+)['"]/g,
  /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\brequire\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\bnew URL\(\s*['"]([^'"]+)['"]\s*,\s*import\.meta\.url/g,
];

/** Code that carries results but does not shape them. */
const ignored = [path.join(dist, 'errors.js'), path.join(dist, 'paths.js')];

const ascending = (a, b) => (a < b ? -1 : 1);

function closure(entry) {
  const files = new Set();
  const packages = new Set();
  const open = [entry];
  while (open.length > 0) {
    const file = open.pop();
    if (files.has(file) || ignored.includes(file) || !existsSync(file)) continue;
    files.add(file);
    if (!file.endsWith('.js')) continue;
    const text = readFileSync(file, 'utf8');
    for (const pattern of patterns)
      for (const [, target] of text.matchAll(pattern)) {
        if (target.startsWith('.')) open.push(path.resolve(path.dirname(file), target));
        else if (!target.startsWith('node:'))
          packages.add(
            target
              .split('/')
              .slice(0, target.startsWith('@') ? 2 : 1)
              .join('/'),
          );
      }
  }
  return { files: [...files].sort(ascending), packages: [...packages].sort(ascending) };
}

const kernels = path.join(dist, 'kernels');
const kernelFiles = existsSync(kernels) ? readdirSync(kernels).filter((name) => /\.(wasm|cu)$/.test(name)) : [];
const hashes = {};
const runs = path.join(dist, 'stages', 'run');
for (const name of readdirSync(runs)
  .filter((file) => file.endsWith('.js'))
  .sort()) {
  const { files, packages } = closure(path.join(runs, name));
  const hash = createHash('sha256');
  for (const file of files) hash.update(path.relative(dist, file)).update('\0').update(readFileSync(file)).update('\0');
  // A kernel is loaded by name at run time: it counts where some file of the closure names it.
  const text = files
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  for (const kernel of kernelFiles)
    if (text.includes(kernel))
      hash
        .update(kernel)
        .update('\0')
        .update(readFileSync(path.join(kernels, kernel)));
  for (const used of packages) hash.update(`${used}@${lock.packages?.[`node_modules/${used}`]?.version ?? 'none'}\0`);
  hashes[name.replace(/\.js$/, '')] = hash.digest('hex').slice(0, 16);
}
const target = path.join(dist, 'numerics.json');
writeFileSync(`${target}.tmp`, `${JSON.stringify(hashes, null, 1)}\n`);
renameSync(`${target}.tmp`, target);
