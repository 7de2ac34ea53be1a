import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fathom, workFolder } from '../support/cli.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Stages of one's own in the working folder, so that their code can change. */
async function folder(): Promise<{ cwd: string; env: Record<string, string> }> {
  const cwd = await workFolder({
    'e.yaml': 'name: e\nstages:\n  a: { use: test.number }\n  b: { use: test.gather, from: { parts: a } }\n',
  });
  const plugin = path.join(root, 'test/support/plugin');
  await writeFile(
    path.join(cwd, 'stages.mjs'),
    (await readFile(path.join(plugin, 'stages.mjs'), 'utf8')).replace(
      "from 'zod'",
      `from '${path.join(root, 'node_modules/zod/index.js')}'`,
    ),
  );
  for (const name of ['run-number.mjs', 'run-gather.mjs', 'run-folds.mjs', 'run-fit.mjs', 'run-die.mjs'])
    await copyFile(path.join(plugin, name), path.join(cwd, name));
  return { cwd, env: { FATHOM_STAGES: path.join(cwd, 'stages.mjs') } };
}

it('changed code runs again, unless it is accepted; a changed version always does', async () => {
  const { cwd, env } = await folder();
  const run = (...args: string[]): ReturnType<typeof fathom> =>
    fathom(['run', 'e.yaml', '--no-report', '--json', ...args], { cwd, env });
  expect(JSON.parse((await run()).out)).toMatchObject({ cached: 0, done: 2 });
  await writeFile(
    path.join(cwd, 'run-number.mjs'),
    `${await readFile(path.join(cwd, 'run-number.mjs'), 'utf8')}\n// changed\n`,
  );
  const plan = await fathom(['plan', 'e.yaml'], { cwd, env });
  expect(plan.out).toContain('a: 1 task: to run: changed code of test.number');
  const accepted = await run('--accept-code');
  expect(JSON.parse(accepted.out)).toMatchObject({ cached: 2, done: 2 });
  expect(JSON.parse((await run()).out)).toMatchObject({ cached: 0, done: 2 });
  const stages = path.join(cwd, 'stages.mjs');
  await writeFile(stages, (await readFile(stages, 'utf8')).replace('version: 1', 'version: 2'));
  expect(JSON.parse((await run('--accept-code')).out)).toMatchObject({ cached: 0, done: 2 });
});
