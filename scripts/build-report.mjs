// Makes dist/report/client.js and dist/report/style.css from src/report/client. Needs nothing but TypeScript.
//
//   node scripts/build-report.mjs [folder]     (default: dist/report)
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const client = join(root, 'src/report/client');

/** Compiles the page's script and joins its modules into one text that runs in a strict function of its own. */
export function bundleClient() {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-report-'));
  try {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const done = spawnSync(process.execPath, [tsc, '-p', client, '--outDir', folder], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`the report's script does not compile:\n${done.stdout}${done.stderr}`);
    return joinModules(join(folder, 'report/client/main.js'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Joins ES modules in the order of their imports, each in a function of its own that returns what it exports. Only
 * named imports and exports are understood; anything else, and a circle of imports, is an error here.
 */
export function joinModules(entry) {
  const parts = [];
  const numbers = new Map();
  const visit = (file) => {
    const known = numbers.get(file);
    if (known === 'open') throw new Error(`${file} imports itself through others`);
    if (known !== undefined) return known;
    numbers.set(file, 'open');
    let text = readFileSync(file, 'utf8');
    text = text.replace(/^import\s+\{([^}]*)\}\s+from\s+'([^']+)';?$/gm, (_, names, from) => {
      if (!from.startsWith('.')) throw new Error(`${file}: the page cannot import ${from}`);
      const module = visit(resolve(dirname(file), from));
      return `const {${names.replace(/\bas\b/g, ':')}} = ${module};`;
    });
    const names = [];
    text = text
      .replace(/^export \{\};?$/gm, '')
      .replace(/^export ((?:async )?(?:function|const|class) ([\w$]+))/gm, (_, declaration, name) => {
        names.push(name);
        return declaration;
      });
    const stray = /^(import|export)\b.*$/m.exec(text);
    if (stray !== null) throw new Error(`${file}: only named imports and exports can be joined: ${stray[0]}`);
    const module = `module${parts.length}`;
    numbers.set(file, module);
    parts.push(`const ${module} = (() => {\n${text.trim()}\nreturn { ${names.join(', ')} };\n})();\n`);
    return module;
  };
  visit(entry);
  const script = `(() => {\n'use strict';\n${parts.join('')}})();\n`;
  if (/<\/script|<!--/i.test(script)) throw new Error('the script would end its own element');
  return script;
}

/** The style sheets in the order of their names. */
export function bundleStyle() {
  const folder = join(client, 'style');
  const names = readdirSync(folder).filter((name) => name.endsWith('.css'));
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

/** Comments and indentation do not travel. */
export function tidyStyle(text) {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s+/gm, '')
    .trim();
}

export function buildReport(folder = join(root, 'dist/report')) {
  const script = bundleClient();
  const style = `${tidyStyle(bundleStyle())}\n`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'client.js'), script);
  writeFileSync(join(folder, 'style.css'), style);
  return { client: script, style };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  buildReport(process.argv[2] === undefined ? undefined : resolve(process.argv[2]));
}
