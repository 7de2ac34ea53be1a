/** Starts the page: what the first screen needs first, the rest when it is near. */
import { copyText, find, findAll, oncePerFrame, toast } from './dom.ts';
import { explainUnknowns } from './hover.ts';
import { paintMaps, startMaps } from './map.ts';
import { drawAll, startPlots } from './plots.ts';
import { startSweeps } from './sweep.ts';
import { filterRows, makeSortable } from './tables.ts';
import { startDataTables, startTools, unrolled } from './tools.ts';

const PRINTED_ROWS = 60;

function startTheme(): void {
  const root = document.documentElement;
  const buttons = findAll('[data-theme-choice]');
  const choose = (theme: string): void => {
    if (theme === 'auto') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
    for (const button of buttons) {
      button.setAttribute('aria-pressed', String(button.dataset['themeChoice'] === theme));
    }
    paintMaps();
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const theme = button.dataset['themeChoice'] ?? 'auto';
      choose(theme);
      try {
        localStorage.setItem('fathom-theme', theme);
      } catch {
        // A page from disk may not keep anything; the choice then lasts as long as the page.
      }
    });
  }
  let kept = 'auto';
  try {
    kept = localStorage.getItem('fathom-theme') ?? 'auto';
  } catch {
    // As above.
  }
  if (kept === 'light' || kept === 'dark') choose(kept);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => paintMaps());
}

function startCommand(): void {
  const command = find('#command')?.textContent ?? '';
  for (const button of findAll('[data-do="command"]')) {
    button.addEventListener('click', () => void copyText(command, 'Command'));
  }
}

/** Marks the chapter being read in the outline. */
function startOutline(): void {
  const links = new Map(findAll('.side > ol > li > a').map((link) => [link.getAttribute('href') ?? '', link]));
  const sections = findAll('main > section');
  const mark = (): void => {
    const line = innerHeight * 0.3;
    const current = sections.findLast((section) => section.getBoundingClientRect().top <= line) ?? sections[0];
    for (const [href, link] of links) {
      if (href === `#${current?.id}`) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('scroll', oncePerFrame(mark), { passive: true });
  mark();
  const menu = find<HTMLDetailsElement>('.menu');
  menu?.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('a') !== null) menu.open = false;
  });
}

function startFilters(): void {
  for (const input of findAll<HTMLInputElement>('[data-filter]')) {
    const place = document.getElementById(input.dataset['filter'] ?? '');
    if (place === null) continue;
    input.addEventListener('input', () => filterRows(place, input.value));
  }
}

/** Rules for paper; while they apply to the screen too, figures can be drawn at the width that they will have there. */
function printRules(): CSSMediaRule[] {
  return [...document.styleSheets].flatMap((sheet) =>
    [...sheet.cssRules].filter(
      (rule): rule is CSSMediaRule => rule instanceof CSSMediaRule && rule.media.mediaText === 'print',
    ),
  );
}

/** Paper is light and narrower: everything is drawn again for it, and back afterwards. */
function startPrinting(): void {
  const root = document.documentElement;
  const rules = printRules();
  let before: string | undefined;
  addEventListener('beforeprint', () => {
    before = root.dataset['theme'];
    root.dataset['theme'] = 'light';
    for (const rule of rules) rule.media.mediaText = 'all';
    root.classList.add('printing');
    for (const table of unrolled) table.unroll(PRINTED_ROWS);
    drawAll();
    paintMaps(true);
  });
  addEventListener('afterprint', () => {
    if (before === undefined) delete root.dataset['theme'];
    else root.dataset['theme'] = before;
    for (const rule of rules) rule.media.mediaText = 'print';
    root.classList.remove('printing');
    for (const table of unrolled) table.unroll(undefined);
    drawAll();
    paintMaps();
  });
}

function start(): void {
  startPlots();
  startTheme();
  startCommand();
  startTools();
  startOutline();
  explainUnknowns();
  for (const table of findAll<HTMLTableElement>('table.sortable')) {
    if (table.closest('.trials') === null) makeSortable(table);
  }
  startFilters();
  startDataTables();
  startSweeps();
  startMaps();
  startPrinting();
  document.documentElement.dataset['ready'] = 'true';
}

addEventListener('error', (event) => toast(`A part of this page failed: ${event.message}`));
start();
