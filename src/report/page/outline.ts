import { instant, known } from '../draw/format.ts';
import { type Markup, markup } from '../draw/markup.ts';
import type { ReportModel } from '../model.ts';
import { glyph, mark } from './icons.ts';
import type { Chapter } from './page.ts';

/** The outline: every chapter with its verdict, every figure; always open, so that nothing shifts. */
export function outline(chapters: readonly Chapter[], deep: boolean): Markup {
  const items = chapters.map((chapter, i) => {
    const inner =
      deep &&
      chapter.entries.length > 0 &&
      markup`<ol>${chapter.entries.map((entry) => markup`<li><a href="#${entry.id}">${entry.name}</a></li>`)}</ol>`;
    return markup`<li><a href="#${chapter.id}"><span class="number">${i + 1}</span>${chapter.name}${chapter.verdict !== undefined && glyph(chapter.verdict)}</a>${inner}</li>`;
  });
  return markup`<ol>${items}</ol>`;
}

export function topBar(model: ReportModel, chapters: readonly Chapter[]): Markup {
  const when = Date.parse(model.run.finishedAt ?? model.run.startedAt);
  const themes = (['auto', 'light', 'dark'] as const).map(
    (theme) =>
      markup`<button type="button" data-theme-choice="${theme}" aria-pressed="${theme === 'auto' ? 'true' : 'false'}">${theme.charAt(0).toUpperCase() + theme.slice(1)}</button>`,
  );
  return markup`<header class="top"><a class="brand" href="#answer">${mark()}<span>Fathom</span></a><span class="rule"></span><b class="name">${model.experiment.name}</b><span class="meta code">${model.run.id}</span><span class="meta date">${known(when) ? instant(when) : ''}</span><span class="grow"></span>
<details class="menu"><summary>Contents</summary><nav class="drop" aria-label="Contents">${outline(chapters, false)}</nav></details>
<div class="segments theme" role="group" aria-label="Theme">${themes}</div><button type="button" class="button primary" data-do="command">Copy command</button></header>`;
}
