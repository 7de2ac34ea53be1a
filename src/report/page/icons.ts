import { Markup, markup } from '../draw/markup.ts';

/** State of a claim; each has its own shape and word, so that colour never carries it alone. */
export type Verdict = 'pass' | 'undecided' | 'fail' | 'note';

const shapes: Record<Verdict, string> = {
  pass: '<circle cx="8" cy="8" r="6.7"/><path d="M4.9 8.3l2.2 2.2 4.1-4.7"/>',
  undecided: '<path d="M8 1.9l6.6 11.9H1.4z"/><path d="M8 6.2v3.6M8 11.6v.4"/>',
  fail: '<path class="solid" d="M5.2 1.3h5.6l3.9 3.9v5.6l-3.9 3.9H5.2l-3.9-3.9V5.2z"/><path class="cut" d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6"/>',
  note: '<circle cx="8" cy="8" r="6.7"/><path d="M8 7.4v3.8M8 4.7v.4"/>',
};
const words: Record<Verdict, string> = { pass: 'pass', undecided: 'undecided', fail: 'fail', note: 'note' };

export function glyph(verdict: Verdict): Markup {
  const shape = new Markup(shapes[verdict]);
  return markup`<svg class="glyph ${verdict}" viewBox="0 0 16 16" role="img" aria-label="${words[verdict]}">${shape}</svg>`;
}

export function wordOf(verdict: Verdict): string {
  return words[verdict];
}

/** The worst of several states, for the outline. */
export function worst(verdicts: readonly Verdict[]): Verdict | undefined {
  return (['fail', 'undecided', 'pass', 'note'] as const).find((verdict) => verdicts.includes(verdict));
}

/** A fathom line with its weight over a sounding pole, 18 by 22. */
export function mark(): Markup {
  return new Markup(
    '<svg class="mark" viewBox="0 0 18 22" aria-hidden="true"><path class="pole" d="M9 1v12M4 5h3M11 5h3M4 9h3M11 9h3"/><path class="weight" d="M5.5 13h7l-1.6 6.2a2 2 0 0 1-3.8 0z"/></svg>',
  );
}
