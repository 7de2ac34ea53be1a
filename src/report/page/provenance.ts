import { count, duration, estimate, instant, known, plural } from '../draw/format.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import type { ReportModel } from '../model.ts';
import type { Entry } from './figures.ts';
import { glyph, type Verdict } from './icons.ts';
import type { Chapter, Page } from './page.ts';
import { facts, type RichCell, richTable, unknown } from './tables.ts';

/** Everything needed to make the page again, and everything that is missing from it. */
export function provenanceChapter(model: ReportModel, page: Page, methods: ReadonlyMap<string, string>): Chapter {
  const { provenance: from, run } = model;
  const entries: Entry[] = [{ id: page.anchor('make-again'), name: 'Make it again' }];
  const part = (id: string, name: string, body: Piece): Piece => {
    if (body === null) return null;
    entries.push({ id: page.anchor(id), name });
    return body;
  };
  const body = markup`<div class="command" id="make-again"><code id="command">${from.command}</code><button type="button" class="button" data-do="command">Copy</button></div>
${part('failed', 'Failed tasks', failedTable(model))}
${part('absent', 'Absent stages', absentTable(model))}
${part('stages', 'Stages', stagesTable(model))}
${part('remarks', 'Remarks', remarkList(model))}
${part('settings', 'Settings', settingsTable(model))}
<div class="pair" id="what-ran">${ran(model)}</div>
${part('methods', 'Methods', methodList(page, methods))}`;
  const broken = model.failed.length > 0 || !run.complete;
  return {
    id: 'provenance',
    name: 'Provenance',
    lead: broken
      ? 'The run is not whole; one command continues it and makes this page again.'
      : 'One command makes this page again.',
    verdict: broken ? 'fail' : model.absent.length > 0 ? 'undecided' : from.git.dirty ? 'undecided' : 'pass',
    entries,
    body,
  };
}

function failedTable(model: ReportModel): Piece {
  if (model.failed.length === 0) return null;
  const rows = model.failed.map((task): RichCell[] => [
    { content: markup`${glyph('fail')} ${task.stage}`, sort: task.stage },
    { content: task.part },
    { content: task.error, kind: 'wrap pre' },
  ]);
  return markup`<div class="block" id="failed"><h3>${plural(model.failed.length, 'task')} failed</h3>${richTable(
    'Failed tasks',
    [
      { name: 'Stage', align: 'left' },
      { name: 'Part', align: 'left' },
      { name: 'Error', align: 'left', sortable: false },
    ],
    rows,
    'tall',
  )}</div>`;
}

function absentTable(model: ReportModel): Piece {
  if (model.absent.length === 0) return null;
  const rows = model.absent.map((stage): RichCell[] => [
    { content: markup`${glyph('undecided')} ${stage.stage}`, sort: stage.stage },
    { content: stage.use, kind: 'code' },
    { content: stage.reason, kind: 'wrap' },
    { content: stage.fix, kind: 'wrap' },
  ]);
  const n = model.absent.length;
  return markup`<div class="block" id="absent"><h3>${plural(n, 'stage')} did not run; what follows from ${n === 1 ? 'it' : 'them'} is not on this page</h3>${richTable(
    'Absent stages',
    [
      { name: 'Stage', align: 'left' },
      { name: 'Method', align: 'left' },
      { name: 'Why', align: 'left', sortable: false },
      { name: 'What helps', align: 'left', sortable: false },
    ],
    rows,
  )}</div>`;
}

function stagesTable(model: ReportModel): Piece {
  if (model.stages.length === 0) return null;
  const failed = new Set(model.failed.map((task) => task.stage));
  const absent = new Set(model.absent.map((stage) => stage.stage));
  const total = model.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const rows = model.stages.map((stage): RichCell[] => {
    const state: [Verdict, string] = absent.has(stage.stage)
      ? ['undecided', 'absent']
      : failed.has(stage.stage)
        ? ['fail', 'failed']
        : stage.done < stage.tasks
          ? ['undecided', 'unfinished']
          : ['pass', 'done'];
    return [
      { content: stage.stage },
      { content: stage.use, kind: 'code' },
      { content: stage.engine ?? '' },
      { content: markup`<span class="pill ${state[0]}">${state[1]}</span>`, sort: state[1] },
      {
        content: stage.done === stage.tasks ? count(stage.tasks) : `${count(stage.done)} of ${count(stage.tasks)}`,
        sort: stage.tasks,
      },
      { content: duration(stage.seconds), sort: stage.seconds },
      {
        content: known(stage.peakMemoryMb) ? `${estimate(stage.peakMemoryMb)}\u00a0MB` : unknown('not measured'),
        sort: stage.peakMemoryMb,
      },
    ];
  });
  return markup`<div class="block" id="stages"><h3>Where did ${duration(total)} of work go?</h3>${richTable(
    'Stages',
    [
      { name: 'Stage', align: 'left' },
      { name: 'Method', align: 'left' },
      { name: 'Engine', align: 'left' },
      { name: 'State', align: 'left' },
      { name: 'Tasks', align: 'right' },
      { name: 'Time, summed', align: 'right' },
      { name: 'Peak memory', align: 'right' },
    ],
    rows,
    'tall',
  )}</div>`;
}

/** Remarks of the stages, each once; how often it was made where several folds made it. */
export function remarksOf(model: ReportModel): { stage: string; text: string; times: number }[] {
  const found = new Map<string, { stage: string; text: string; times: number }>();
  for (const { stage, text } of model.notes) {
    const key = JSON.stringify([stage, text]);
    const remark = found.get(key) ?? { stage, text, times: 0 };
    remark.times++;
    found.set(key, remark);
  }
  return [...found.values()];
}

function remarkList(model: ReportModel): Piece {
  const remarks = remarksOf(model);
  if (remarks.length === 0) return null;
  const stages = [...new Set(remarks.map((remark) => remark.stage))];
  return markup`<div class="block" id="remarks"><h3>What did the stages remark?</h3><dl class="facts remarks">${stages.map(
    (stage) =>
      markup`<dt class="code">${stage}</dt><dd>${remarks
        .filter((remark) => remark.stage === stage)
        .map(
          (remark) =>
            markup`<p>${remark.text}${remark.times > 1 && markup` <span class="hint">${count(remark.times)} times</span>`}</p>`,
        )}</dd>`,
  )}</dl></div>`;
}

function settingsTable(model: ReportModel): Piece {
  const settings = model.provenance.settings;
  if (settings.length === 0) return null;
  const rows = settings.map((setting): RichCell[] => [
    { content: setting.key, kind: 'code' },
    { content: setting.value, kind: 'code wrap' },
    { content: setting.origin, kind: 'code' },
  ]);
  return markup`<div class="block" id="settings"><h3>Where did each setting come from?</h3>
<p class="filter"><label>Filter <input class="field" type="search" data-filter="settings" placeholder="key, value or file" autocomplete="off" spellcheck="false"></label></p>
${richTable(
  'Settings',
  [
    { name: 'Setting', align: 'left' },
    { name: 'Value', align: 'left' },
    { name: 'Origin', align: 'left' },
  ],
  rows,
  'tall',
)}</div>`;
}

function ran(model: ReportModel): Markup {
  const { provenance: from, run, experiment } = model;
  const code: Piece =
    from.git.commit === null
      ? unknown('the code is not under git')
      : markup`<span class="code">${from.git.commit}</span>${from.git.dirty && ', with uncommitted changes'}`;
  const started = Date.parse(run.startedAt);
  const finished = run.finishedAt === null ? Number.NaN : Date.parse(run.finishedAt);
  const named = (rows: readonly { readonly name: string; readonly value: string }[]): [string, Piece][] =>
    rows.map((row) => [row.name, row.value]);
  return markup`<div><h3>What ran, where and when</h3>${facts([
    ['Experiment', markup`<span class="code">${experiment.file}</span>`],
    ['Run', markup`<span class="code">${run.id}</span>`],
    ['Started', instant(started)],
    ['Finished', known(finished) ? instant(finished) : unknown('the run has not finished')],
    ['Took', known(finished) ? duration((finished - started) / 1000) : unknown('the run has not finished')],
    ['Code', code],
    ...named(from.hardware),
    ...named(from.slurm),
  ])}</div><div><h3>With what</h3>${facts([
    ...from.versions.map((row): [string, Piece] => [row.name, row.version]),
    ...from.hashes.map((row): [string, Piece] => [row.name, markup`<span class="code hash">${row.hash}</span>`]),
  ])}</div>`;
}

/** Methods that captions refer to, with their first paragraph where the text is at hand. */
function methodList(page: Page, methods: ReadonlyMap<string, string>): Piece {
  const used = page.methods();
  if (used.length === 0) return null;
  const items = used.map(([heading, id]) => {
    const text = methods.get(heading.toLowerCase());
    return markup`<p id="${id}"><b>${heading}.</b> ${text ?? ''} <span class="hint">docs/methods.md, “${heading}”</span></p>`;
  });
  return markup`<div class="block" id="methods"><h3>Methods, a line each</h3><div class="methods">${items}</div></div>`;
}

/** First paragraph under each heading of a Markdown text, by the heading in lower case. */
export function firstParagraphs(markdown: string): Map<string, string> {
  const found = new Map<string, string>();
  const lines = markdown.split(/\r?\n/);
  lines.forEach((text, i) => {
    const heading = /^#{2,6}\s+(.+?)\s*#*$/.exec(text)?.[1];
    if (heading === undefined) return;
    const paragraph: string[] = [];
    for (const next of lines.slice(i + 1)) {
      if (/^(#|```|\||\$\$)/.test(next) || (next.trim() === '' && paragraph.length > 0)) break;
      if (next.trim() !== '') paragraph.push(next.trim());
    }
    // Links, code marks and emphasis are left as their text.
    const plainText = paragraph
      .join(' ')
      .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
      .replace(/[`*]/g, '');
    if (!found.has(heading.toLowerCase())) found.set(heading.toLowerCase(), plainText);
  });
  return found;
}
