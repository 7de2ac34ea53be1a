import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { embedJson, escapeText } from '../../src/report/draw/markup.ts';
import { firstParagraphs } from '../../src/report/page/provenance.ts';
import { answerForest, beatsBaseline, claims, keyMetrics } from '../../src/report/page/select.ts';
import { renderReport } from '../../src/report/render.ts';
import { brokenModel, fullModel, HOSTILE } from './fixture.ts';
import { expectGolden } from './golden.ts';

const assets = { client: 'start();', style: 'body { margin: 0 }' };

/** One element a line, so that a difference can be read. */
const lines = (html: string): string => html.replaceAll('><', '>\n<');

describe('the page as text', () => {
  test('of a full run', () => {
    expectGolden('full.html', lines(renderReport(fullModel({ points: 8, trials: 8 }), assets)));
  });

  test('of a run that broke', () => {
    expectGolden('broken.html', lines(renderReport(brokenModel(), assets)));
  });

  test('is the same for the same model', () => {
    expect(renderReport(fullModel(), assets)).toBe(renderReport(fullModel(), assets));
  });

  test('has no two elements with one id, and every inner link has a target', () => {
    for (const model of [fullModel(), brokenModel()]) {
      const html = renderReport(model, assets);
      const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
    }
  });

  test('names no address outside itself', () => {
    const html = renderReport(fullModel(), { ...assets, plotly: 'window.Plotly = {}' });
    expect(html).not.toMatch(/(src|href)="(?!#|data:)/);
    expect(html).not.toMatch(/@import|url\(/);
  });
});

describe('what comes from data', () => {
  test('is escaped wherever it stands', () => {
    const html = renderReport(fullModel(), assets);
    const outside = html.replace(/<script[^>]*>[\s\S]*?<\/script>/g, '');
    expect(outside).not.toContain('<script');
    expect(html).not.toContain('alert("x")');
    expect(outside).toContain(escapeText('<script>alert("x")</script>'));
    // The page's own script and its data; nothing that data added.
    const scripts = [...html.matchAll(/<script/g)].length;
    const data = [...html.matchAll(/<script type="application\/json"/g)].length;
    expect(scripts).toBe(data + 1);
  });

  test('comes back from the page as it was put in', () => {
    const value = { text: HOSTILE, separators: '\u2028\u2029', closing: '</script><script>' };
    const text = embedJson(value).text;
    expect(text).not.toMatch(/[<\u2028\u2029]/);
    expect(JSON.parse(text)).toEqual(value);
  });

  test('does not reach the style sheet', () => {
    const model = fullModel();
    const named = { ...model, run: { ...model.run, id: '"}</style><script>alert(1)</script>' } };
    const html = renderReport(named, assets);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).not.toContain('<script>alert(1)');
  });
});

describe('the policy', () => {
  test('allows the page’s scripts by their hashes and nothing else', () => {
    const plotly = 'window.Plotly = {}';
    const html = renderReport(fullModel(), { ...assets, plotly });
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]?.replaceAll('&#39;', "'") ?? '';
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${hash(assets.client)} ${hash(plotly)};`);
    expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline|https?:/);
  });

  test('without plotly there is no interactive view, and no trace of it', () => {
    const html = renderReport(fullModel(), assets);
    expect(html).not.toContain('id="plotly"');
    expect(html).not.toContain('data-do="zoom"');
  });
});

describe('the first screen', () => {
  test('has the key metrics of the test set: the one of the answer first, one of each name, unknown ones last', () => {
    const names = keyMetrics(fullModel()).map((metric) => `${metric.stage} ${metric.name} ${metric.set}`);
    expect(names).toEqual([
      'mtl auc test',
      'mtl spearman test',
      'mtl brier test',
      'boost logLoss test',
      'boost auc test',
      'boost r2 test',
    ]);
    const model = fullModel();
    const finding = model.findings[1];
    if (finding === undefined) throw new Error('the fixture has two findings');
    expect(keyMetrics({ ...model, findings: [finding] })[0]?.name).toBe('spearman');
  });

  test('a metric beats its baseline only with its whole interval, in its own direction', () => {
    const metric = { name: 'm', label: 'm', set: 'test' as const, n: 1, value: 1, low: 0.8, high: 1.2 };
    const against = (value: number, goal: 'maximize' | 'minimize'): boolean | null =>
      beatsBaseline({ ...metric, goal, baseline: { label: 'b', value } });
    expect(against(0.7, 'maximize')).toBe(true);
    expect(against(0.8, 'maximize')).toBe(false);
    expect(against(0.9, 'minimize')).toBe(false);
    expect(against(1.3, 'minimize')).toBe(true);
    expect(beatsBaseline({ ...metric, goal: 'maximize' })).toBeNull();
  });

  test('the strip says the trials, the failures and the absences as loudly as the passes', () => {
    const whole = claims(fullModel());
    expect(whole.map((claim) => [claim.what, claim.verdict])).toEqual([
      ['Leaks checked', 'undecided'],
      ['Trials tried', 'note'],
      ['Run complete', 'pass'],
      ['Rows rejected', 'pass'],
      ['Stages absent', 'undecided'],
    ]);
    expect(whole[1]?.detail).toContain('best of 48');
    const broken = claims(brokenModel());
    expect(broken[0]).toMatchObject({ value: 'Not checked', verdict: 'undecided' });
    expect(broken[2]).toMatchObject({ verdict: 'fail', href: '#failed' });
  });

  test('draws the answer from the metrics where no stage drew it', () => {
    const model = fullModel();
    const finding = model.findings[1];
    if (finding === undefined) throw new Error('the fixture has two findings');
    const made = answerForest({ ...model, findings: [finding], figures: [] });
    expect(made?.figure.rows.map((row) => row.label)).toEqual(['mtl', 'baseline: past edge']);
    expect(answerForest(brokenModel())).toBeUndefined();
  });

  test('without an answer it says so, and why', () => {
    const html = renderReport(brokenModel(), assets);
    expect(html).toContain('<strong class="fail">No answer.</strong>');
    expect(html).toContain('2\u00a0tasks failed; 1\u00a0stage could not run here');
    expect(html).toContain('loss is not finite at epoch 3');
    expect(html).toContain('No model was measured.');
  });

  test('a failed check is not hidden behind others', () => {
    const model = fullModel();
    const checks = [...model.checks, { stage: 's', name: 'Future cut', verdict: 'fail' as const, detail: 'differs' }];
    expect(claims({ ...model, checks })[0]).toMatchObject({ verdict: 'fail', detail: 'fails: Future cut' });
  });
});

test('methods are explained from their first paragraph', () => {
  const found = firstParagraphs(
    '# Methods\n\n## Edge\n\nOutcome minus `price`,\nper [share](x.md).\n\nMore.\n\n## ROC\n| a |\n',
  );
  expect(found.get('edge')).toBe('Outcome minus price, per share.');
  expect(found.get('roc')).toBe('');
  const html = renderReport(fullModel(), { ...assets, methods: '## Edge\nOutcome minus price.' });
  expect(html).toContain('<b>Edge.</b> Outcome minus price.');
});

describe('figures of several folds', () => {
  const folds = (title: (fold: number) => string) => {
    const model = fullModel();
    const figures = model.figures.flatMap(({ stage, part, figure }) => {
      const fold = Number(/\d/.exec(part)?.[0] ?? 0);
      const named = { ...figure, id: `${figure.id}-fold-${fold}`, title: title(fold), subtitle: `loss, ${part}` };
      return part === '' ? [] : [{ stage, part, figure: named }];
    });
    return renderReport({ ...model, figures }, assets);
  };

  test('stand together, whether or not their ids name the fold', () => {
    const html = folds(() => 'Loss falls');
    expect(html.match(/data-plot="/g)).toHaveLength(6);
    expect(html).toContain('id="f-mtl-learning-curves"');
    expect(html).toContain('<p class="sub">loss; the same axes in all parts</p>');
    expect(html.match(/Loss falls <a/g)).toHaveLength(1);
  });

  test('never let one fold speak for the others', () => {
    const html = folds((fold) => `Best after ${fold + 3} epochs`);
    expect(html).toContain('Learning curves of mtl, part by part');
    for (const fold of [0, 1, 5]) expect(html).toContain(`<p class="part-title">Best after ${fold + 3} epochs</p>`);
  });
});

test('models of one stage are told apart by their names, and a remark that is made twice stands once', () => {
  const model = fullModel();
  const metrics = model.metrics.map((metric) =>
    metric.stage === 'boost' ? { ...metric, stage: 'mtl', model: 'trees' } : metric,
  );
  const note = { stage: 'mtl', text: 'Eleven rows were left out.' };
  const html = renderReport({ ...model, metrics, notes: [note, note] }, assets);
  expect(html).toContain('Log loss, trees');
  expect(html.match(/Eleven rows were left out\./g)).toHaveLength(1);
  expect(html).toContain('2 times');
});
