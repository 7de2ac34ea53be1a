// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments
import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { render } from '../../src/cli/render.ts';
import { renderYaml, resolvedConfig } from '../../src/experiment/render.ts';
import { goodExperiment, load, stages } from '../experiment/support.ts';
import { recordedEffects } from './support.ts';

const full = `title: "Is it: #1? costs $\${seed}"
question: yes
about: '12:30'
${goodExperiment.replace('hidden: [8, 4]', 'hidden: [8, 4]\n    schedule: { plateau: {} }\n    lossWeights: { "odd key: 1": 2 }\n    description: "007"')}
sweep:
  stage: mtl
  metric: { name: validation.score, goal: maximize }
  space:
    learningRate: { loguniform: [1e-4, 1e-2] }
    hidden: { choice: [[8], [16, 8]] }
    lossWeights.risk: { uniform: [0, 1], step: 0.25 }
  sampler: { use: sobol, trials: 16 }
resources: { threads: 2, time: 2h, slurm: { partition: gpu, setup: ["module load x", "echo 'a: b' # c"], array: { throttle: 4 } } }
report: { answer: compare }
`;

describe('render', () => {
  test('loads as the same experiment', async () => {
    const experiment = await load(full);
    const again = await load(renderYaml(experiment, { origins: false }).join('\n'));
    const { origins: a, ...first } = experiment;
    const { origins: b, ...second } = again;
    expect(second).toEqual(first);
    expect(b.size).toBeGreaterThanOrEqual(a.size);
    expect(experiment.title).toBe('Is it: #1? costs ${seed}');
  });

  test('loads as the same with origins, which are comments', async () => {
    const experiment = await load(full, { overrides: ['mtl.epochs=3'] });
    const again = await load(renderYaml(experiment, { origins: true }).join('\n'));
    expect(resolvedConfig(again)).toEqual(resolvedConfig(experiment));
  });

  test('renders a second time as it did the first', async () => {
    const lines = renderYaml(await load(full), { origins: false });
    expect(renderYaml(await load(lines.join('\n')), { origins: false })).toEqual(lines);
  });

  test('says of each value where it comes from', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'fathom-render-'));
    await writeFile(path.join(folder, 'e.yaml'), goodExperiment);
    const effects = recordedEffects(folder);
    const args = { experiment: 'e.yaml', overrides: ['mtl.epochs=3'], origins: true };
    expect(await render(args, effects, stages)).toBe(0);
    expect(effects.lines).toContainEqual(expect.stringMatching(/^ {4}hidden: \[ 8, 4 \] +# e\.yaml:10:14$/));
    expect(effects.lines).toContainEqual(expect.stringMatching(/^ {4}epochs: 3 +# override 1 \(mtl\.epochs=3\)$/));
    expect(effects.lines).toContainEqual(expect.stringMatching(/^ {4}dropout: 0\.1 +# default of train\.mtl$/));
    expect(effects.lines).toContainEqual(expect.stringMatching(/^seed: 42 +# default$/));
  });

  test('without origins there are no comments', async () => {
    expect(renderYaml(await load(goodExperiment), { origins: false }).filter((line) => line.includes('#'))).toEqual([]);
  });
});
