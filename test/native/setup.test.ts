import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/paths.ts';

/** A checkout of nothing but the scripts, on a machine of nothing but the programs it is given. */
let folder: string;
const file = (...parts: string[]): string => path.join(folder, ...parts);
const library = '.fathom/native/python/xgboost/lib/libxgboost.so';

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fathom-setup-'));
  for (const name of ['scripts', 'bin']) mkdirSync(file(name));
  for (const name of ['setup.sh', 'setup-native.sh'])
    copyFileSync(path.join(packageRoot, 'scripts', name), file('scripts', name));
  for (const name of ['bash', 'cat', 'dirname', 'env', 'flock', 'mkdir', 'mv', 'rm', 'sleep', 'touch'])
    program(name, `exec ${spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()} "$@"`);
  // Sees no GPU, also where the tests run on a machine that has one.
  program('find', 'exit 0');
});

function program(name: string, body: string): void {
  writeFileSync(file('bin', name), `#!/bin/bash\n${body}\n`);
  chmodSync(file('bin', name), 0o755);
}

/** A python3 whose pip notes what it was asked for and unpacks a library. */
function withPip(installs = true): void {
  program(
    'python3',
    `[[ $* == '-m pip --version' ]] && exit 0
     echo "$*" >> ${file('pip.log')}
     ${installs ? '' : 'echo "no network" >&2; exit 1'}
     while [[ $1 != --target ]]; do shift; done
     mkdir -p "$2/xgboost/lib" "$2/scipy" "$2/scipy_openblas32/lib"
     touch "$2/xgboost/lib/libxgboost.so" "$2/scipy_openblas32/lib/libscipy_openblas.so"`,
  );
}

function withRoot(): void {
  program('id', 'echo 0');
  program('apt-get', `echo "$*" >> ${file('apt.log')}`);
}

function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(file('scripts', script), args, {
    cwd: os.tmpdir(),
    encoding: 'utf8',
    env: { PATH: file('bin'), ...env },
  });
  expect(stdout).toBe('');
  return { status, notes: stderr };
}

const native = (args: readonly string[], env: Record<string, string> = {}) => run('setup-native.sh', args, env);
const log = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');

describe('scripts/setup-native.sh', () => {
  it('installs the wheel without CUDA where no GPU is seen, by name, and only once', () => {
    withPip();
    expect(native(['xgboost']).status).toBe(0);
    expect(existsSync(file(library))).toBe(true);
    expect(log('pip.log')).toMatch(/--no-deps .*--target \.fathom\/native\/python\.new xgboost-cpu>=2\.0,<4\n$/);
    expect(native(['xgboost'])).toEqual({ status: 0, notes: '' });
    expect(log('pip.log').split('\n')).toHaveLength(2);
  });

  it('installs the wheel with CUDA where nvidia-smi answers', () => {
    withPip();
    program('nvidia-smi', 'exit 0');
    native(['xgboost']);
    expect(log('pip.log')).toMatch(/ xgboost>=2\.0,<4\n$/);
  });

  it('leaves what is there alone until another is asked for by name', () => {
    withPip();
    native(['xgboost']);
    program('nvidia-smi', 'exit 0');
    native(['xgboost']);
    expect(log('pip.log').split('\n')).toHaveLength(2);
    native(['xgboost'], { XGBOOST_PACKAGE: 'xgboost', XGBOOST_VERSION: '3.1.0' });
    native(['xgboost'], { XGBOOST_PACKAGE: 'xgboost', XGBOOST_VERSION: '3.1.0' });
    expect(log('pip.log').split('\n').slice(1)).toEqual([expect.stringMatching(/ xgboost==3\.1\.0$/), '']);
  });

  it('installs OpenBLAS beside XGBoost, once, and takes neither away for the other', () => {
    withPip();
    expect(native(['xgboost', 'openblas']).status).toBe(0);
    expect(existsSync(file('.fathom/native/openblas/scipy_openblas32/lib/libscipy_openblas.so'))).toBe(true);
    expect(log('pip.log')).toMatch(/--target \.fathom\/native\/openblas\.new scipy-openblas32>=0\.3\.29,<0\.4\n$/);
    expect(native(['openblas'])).toEqual({ status: 0, notes: '' });
    native(['xgboost'], { XGBOOST_VERSION: '3.1.0' });
    expect(existsSync(file('.fathom/native/openblas/scipy_openblas32/lib/libscipy_openblas.so'))).toBe(true);
    expect(existsSync(file(library))).toBe(true);
  });

  it('keeps the old library when the new one cannot be fetched', () => {
    withPip();
    native(['xgboost']);
    withPip(false);
    const { status, notes } = native(['xgboost'], { XGBOOST_VERSION: '9.9.9' });
    expect(status).toBe(0);
    expect(notes).toContain('pip could not fetch it');
    expect(existsSync(file(library))).toBe(true);
  });

  it.each([
    ['the network is forbidden', { OFFLINE: '1' }, 'OFFLINE=1 forbids it'],
    ['there is no pip and no root', {}, 'python3 has no pip'],
  ])('notes what is lost and goes on where %s', (_, env, why) => {
    if ('OFFLINE' in env) {
      withPip();
      withRoot();
    }
    const { status, notes } = native(['xgboost', 'openblas', 'python-test', 'chromium', 'shellcheck'], env);
    expect(status).toBe(0);
    expect(notes).toContain(`XGBoost is not installed: ${why}.`);
    expect(notes).toContain('XGBOOST_LIB');
    expect(notes).toContain(`OpenBLAS is not installed: ${why}.`);
    expect(notes).toContain('OPENBLAS_LIB');
    expect(notes).toContain('scipy (with numpy) is not installed');
    expect(notes).toContain('chromium is not installed');
    expect(notes).toContain('shellcheck is not installed');
    expect(log('pip.log') + log('apt.log')).toBe('');
    expect(native(['xgboost'], { ...env, STRICT: '1' }).status).toBe(69);
  });

  it('as root fetches pip and tools as Debian packages', () => {
    withRoot();
    program(
      'apt-get',
      `echo "$*" >> ${file('apt.log')}; [[ $* != *python3-pip* ]] || cp ${file('later')} ${file('bin/python3')}`,
    );
    withPip();
    copyFileSync(file('bin/python3'), file('later'));
    program('python3', 'exit 1');
    program('cp', 'exec /bin/cp "$@"');
    expect(native(['xgboost', 'shellcheck']).status).toBe(0);
    expect(existsSync(file(library))).toBe(true);
    expect(log('apt.log')).toMatch(/install .*--no-install-recommends python3-pip\n.*install .* shellcheck\n$/);
  });

  it('installs no tool that is there', () => {
    withRoot();
    program('google-chrome', '');
    program('shellcheck', '');
    expect(native(['chromium', 'shellcheck'])).toEqual({ status: 0, notes: '' });
    expect(log('apt.log')).toBe('');
  });

  it('refuses a name it does not know', () => {
    expect(native(['xgbost'])).toMatchObject({ status: 64, notes: 'setup: nothing called xgbost can be installed\n' });
  });
});

describe('scripts/setup.sh', () => {
  const setup = (env: Record<string, string> = {}) => run('setup.sh', [], env);
  const withNode = (version: string): void =>
    program(
      'node',
      `[[ $1 == --version ]] && { echo v${version}; exit; }
       exec ${process.execPath} -e "Object.defineProperty(process.versions, 'node', { value: '${version}' }); $2"`,
    );
  const withNpm = (): void =>
    program('npm', `echo "$*" >> ${file('npm.log')}; mkdir -p node_modules; touch node_modules/.package-lock.json`);
  const aged = (name: string, seconds: number): void => {
    mkdirSync(path.dirname(file(name)), { recursive: true });
    writeFileSync(file(name), '{}');
    utimesSync(file(name), seconds, seconds);
  };

  it.each([
    ['18.20.0', 69],
    ['20.18.1', 69],
    ['20.19.0', 0],
    ['21.7.0', 69],
    ['22.11.0', 69],
    ['22.12.0', 0],
    ['23.1.0', 69],
    ['24.0.0', 0],
    ['26.1.0', 0],
  ])('with Node %s ends with %i', (version, expected) => {
    withNode(version);
    withNpm();
    aged('package-lock.json', 1000);
    const { status, notes } = setup();
    expect(status).toBe(expected);
    if (expected !== 0) expect(notes).toContain(`node v${version} is not supported`);
  });

  it('says where Node is missing altogether', () => {
    expect(setup()).toMatchObject({ status: 69, notes: expect.stringContaining('environment.md') as string });
  });

  it('installs packages once, and again when the lock file changes', () => {
    withNode('20.19.0');
    withNpm();
    aged('package-lock.json', 1000);
    setup();
    expect(setup()).toEqual({ status: 0, notes: '' });
    expect(log('npm.log')).toBe('ci --no-audit --no-fund --loglevel=error\n');
    aged('node_modules/.package-lock.json', 999);
    setup();
    expect(log('npm.log').split('\n')).toHaveLength(3);
  });

  it('takes a lock file that lacks packages of other platforms, and says what else npm may refuse', () => {
    withNode('20.19.0');
    aged('package-lock.json', 1000);
    const refusing = (why: string): void =>
      program(
        'npm',
        `echo "$*" >> ${file('npm.log')}; [[ $1 != ci ]] || { echo "npm error code ${why}"; exit 1; }
         mkdir -p node_modules; touch node_modules/.package-lock.json`,
      );
    refusing('ENOTFOUND');
    expect(setup()).toEqual({ status: 69, notes: expect.stringContaining('npm error code ENOTFOUND') as string });
    refusing('EUSAGE');
    expect(setup().status).toBe(0);
    expect(log('npm.log').split('\n').at(-2)).toBe('install --no-save --no-audit --no-fund --loglevel=error');
  });

  it('without a network goes on with what is there, and stops where nothing is', () => {
    withNode('20.19.0');
    withNpm();
    aged('package-lock.json', 1000);
    expect(setup({ OFFLINE: '1' })).toMatchObject({ status: 69 });
    aged('node_modules/.package-lock.json', 999);
    const { status, notes } = setup({ OFFLINE: '1' });
    expect(status).toBe(0);
    expect(notes).toContain('going on with what is there');
    expect(log('npm.log')).toBe('');
  });
});

describe('the Makefile', () => {
  // `make test` hands its own variables on; they are not these tests' business.
  const env = { PATH: process.env['PATH'] ?? '' };
  const make = (...args: string[]) =>
    spawnSync('make', ['-C', packageRoot, '--no-print-directory', ...args], { encoding: 'utf8', env }).stdout;

  it('lists what it can do', () => {
    for (const target of ['setup', 'sweep', 'submit', 'report', 'doctor', 'test', 'check', 'bench', 'clean'])
      expect(make('help')).toMatch(new RegExp(`^make ${target} +\\S`, 'm'));
  });

  it('ends a sweep with the run, so that its last line is the report', () => {
    const lines = make('-n', 'sweep', 'EXPERIMENT=experiments/x.yaml', 'OVERRIDES=a.b=1').trim().split('\n');
    expect(lines.at(-1)).toBe('bin/fathom run experiments/x.yaml a.b=1');
    expect(lines.slice(0, 2)).toEqual(['scripts/setup.sh', 'scripts/setup-native.sh xgboost openblas']);
  });

  it('reports on a run by its folder, or on the run of an experiment', () => {
    expect(make('-n', 'report', 'RUN=results/x/1').trim()).toMatch(/bin\/fathom report results\/x\/1$/);
    expect(make('-n', 'report').trim()).toMatch(/bin\/fathom report experiments\/quickstart\.yaml$/);
  });
});
