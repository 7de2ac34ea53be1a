/** A sweep whose network OpenBLAS trains, each task in a process: the same bytes with one worker and with three. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { searchOpenblas } from '../../src/native/openblas.ts';
import { thisMachine } from '../../src/native/system.ts';
import { artifactHashes, fathom, workFolder } from '../support/cli.ts';

const experiment = await readFile(path.join(import.meta.dirname, '../support/small-sweep.yaml'), 'utf8');
const search = searchOpenblas(thisMachine());
const title = search.found ? 'with OpenBLAS' : `with OpenBLAS, left out: ${search.reason}; run \`make native\``;

/** All tasks that a run has planned. */
async function tasksOf(results: string): Promise<{ readonly stage: string }[]> {
  const plans = (await readdir(results, { recursive: true })).filter((name) => /plan\/\d+\.jsonl$/.test(name));
  const texts = await Promise.all(plans.map((name) => readFile(path.join(results, name), 'utf8')));
  return texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as { stage: string });
}

describe.skipIf(!search.found)(title, () => {
  // Wide enough for the search for cuts to run, which times what it finds.
  const args = ['run', 'e.yaml', 'network.engine=auto', 'network.hidden=[128, 64]', '--no-report'];

  it('gives the same bytes however many processes share the work', async () => {
    const hashes = [];
    for (const workers of ['1', '3']) {
      const cwd = await workFolder({ 'e.yaml': experiment });
      const { code, err } = await fathom([...args, '-w', workers], { cwd });
      expect(code, err).toBe(0);
      hashes.push(await artifactHashes(path.join(cwd, 'results')));
      const networks = (await tasksOf(path.join(cwd, 'results'))).filter((task) => task.stage === 'network');
      expect(networks.length).toBeGreaterThanOrEqual(18);
      for (const task of networks) expect(task).toMatchObject({ engine: 'openblas', isolation: 'process' });
    }
    expect(Object.keys(hashes[0] ?? {})).toHaveLength(25);
    expect(hashes[1]).toEqual(hashes[0]);
  }, 90_000);
});
