// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments
import { describe, expect, test } from 'vitest';
import { errorOf, goodExperiment, load } from './support.ts';

const withLines = (lines: string) => `${lines}\n${goodExperiment}`;

describe('references', () => {
  test('a whole value keeps its type, inside a text it is written out', async () => {
    const experiment = await load(
      withLines('seed: 7\ntitle: Seed ${seed}, ${splits.folds} folds\nabout: ${title}!').replace(
        'hidden: [8, 4]',
        'hidden: ["${seed}", "${stages.splits.folds}"]',
      ),
    );
    expect(experiment.title).toBe('Seed 7, 3 folds');
    expect(experiment.about).toBe('Seed 7, 3 folds!');
    expect(experiment.stages.find((stage) => stage.name === 'mtl')?.params['hidden']).toEqual([7, 3]);
    expect(experiment.origins.get('stages.mtl.hidden.0')).toMatchObject({ kind: 'reference', to: 'seed' });
  });

  test('maps and lists can be referred to', async () => {
    const experiment = await load(
      goodExperiment.replace(
        'compare:',
        'again: { use: train.mtl, from: "${mtl.from}", each: fold, hidden: "${mtl.hidden}" }\n  compare:',
      ),
    );
    const [mtl, again] = ['mtl', 'again'].map((name) => experiment.stages.find((stage) => stage.name === name));
    expect(again?.params).toEqual(mtl?.params);
    expect(again?.from).toEqual(mtl?.from);
  });

  test('defaults can be referred to', async () => {
    const experiment = await load(withLines('title: ${mtl.epochs} epochs, seed ${seed}'));
    expect(experiment.title).toBe('20 epochs, seed 42');
  });

  test('a reference may lead through another', async () => {
    const experiment = await load(
      goodExperiment
        .replace(
          'compare:',
          'again: { use: train.mtl, from: "${mtl.from}", each: fold, hidden: ["${mtl.hidden.1}"] }\n  compare:',
        )
        .replace('name: good', 'name: good\ntitle: ${again.from.splits}'),
    );
    expect(experiment.title).toBe('splits');
  });

  test('the environment, typed and with a default', async () => {
    const text = goodExperiment
      .replace('folds: 3', 'folds: "${env:FOLDS,4}"')
      .replace('dataset: sample', 'dataset: "${env:DATA,my sample}"');
    const folds = async (env: Record<string, string>) =>
      (await load(text, { env })).stages.find((stage) => stage.name === 'splits')?.params['folds'];
    expect(await folds({})).toBe(4);
    expect(await folds({ FOLDS: '6' })).toBe(6);
    expect(await errorOf(folds({ FOLDS: 'six' }))).toContain(
      'splits.folds: expected whole number from 2 to 50, got "six"',
    );
    expect((await load(text)).stages[0]?.params['dataset']).toBe('my sample');
  });

  test('only own variables of the environment count', async () => {
    expect(await errorOf(load(withLines('title: ${env:constructor}')))).toContain('has no variable constructor');
  });

  test.each(['MY_KEY', 'api_token', 'CLIENT_SECRET', 'PGPASSWORD'])('refuses to read %s', async (name) => {
    const text = await errorOf(load(withLines(`title: "\${env:${name},x}"`), { env: { [name]: 'hunter2' } }));
    expect(text).toContain('may hold a secret');
    expect(text).not.toContain('hunter2');
  });

  test('a doubled dollar is a plain one', async () => {
    expect((await load(withLines('title: costs $${seed} or $5'))).title).toBe('costs ${seed} or $5');
  });
});
