import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fathom, workFolder } from '../support/cli.ts';

it('doctor names what is there and what is not, with what each lack costs', async () => {
  const cwd = await workFolder({});
  // A machine without SLURM: nothing on the path but Node.
  const bare = path.join(cwd, 'bin');
  await mkdir(bare);
  await symlink(process.execPath, path.join(bare, 'node'));
  const env = { PATH: bare, XGBOOST_LIB: '/nowhere/libxgboost.so', FATHOM_STAGES: '' };
  const { code, out } = await fathom(['doctor', '--json'], { cwd, env });
  expect(code).toBe(0);
  type Fact = { name: string; found: boolean; detail: string; fix?: string };
  const { facts, stages, tests } = JSON.parse(out) as Record<'facts' | 'stages' | 'tests', Fact[]>;
  const fact = (name: string): Fact | undefined => facts.find((one) => one.name === name);
  expect(fact('Node')).toMatchObject({ found: true, detail: process.version });
  expect(fact('SLURM')).toMatchObject({ found: false, fix: expect.stringContaining('fathom slurm render') });
  expect(fact('XGBoost')).toMatchObject({ found: false });
  expect(stages.find((one) => one.name === 'train.boosting')).toMatchObject({
    found: false,
    detail: expect.stringContaining('/nowhere/libxgboost.so'),
  });
  // What is there is tested by known answers; what is not is left out.
  const names = tests.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['Test of DuckDB and Parquet', 'Test of train.mtl on wasm']));
  expect(names).not.toContain('Test of XGBoost');
  expect(tests.every(({ found }) => found)).toBe(true);
});

it('doctor --quick only looks', async () => {
  const { code, out } = await fathom(['doctor', '--json', '--quick'], {
    cwd: await workFolder({}),
    env: { PATH: path.dirname(process.execPath) },
  });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ tests: [] });
});
