import { describe, expect, test } from 'vitest';
import type { BarsFigure, ForestFigure, LineFigure } from '../../src/contract/figure.ts';
import { drawBars, MOST_BARS, sortedBars } from '../../src/report/draw/bars.ts';
import { inkOn, rampRgb, roleClasses, tintRgb } from '../../src/report/draw/colour.ts';
import { drawFigure, figureHeight, isDrawn, sameAxes } from '../../src/report/draw/figure.ts';
import { drawForest } from '../../src/report/draw/forest.ts';
import { bestSoFar, drawHistory } from '../../src/report/draw/history.ts';
import { labelsAtEnds } from '../../src/report/draw/line.ts';
import { band, pathThrough } from '../../src/report/draw/svg.ts';
import { columnTexts, compareCells, tabulate, toCsv } from '../../src/report/draw/tabulate.ts';
import { fullModel, HOSTILE, mapFigure, sweepOf } from './fixture.ts';

const drawn = fullModel()
  .figures.map(({ figure }) => figure)
  .filter(isDrawn);

function figureOf<K extends string>(id: K): (typeof drawn)[number] {
  const figure = drawn.find((candidate) => candidate.id === id);
  if (figure === undefined) throw new Error(`no figure ${id}`);
  return figure;
}

describe('every kind of figure', () => {
  test.each(drawn.map((figure) => [figure.id, figure] as const))('%s is drawn at any width', (_, figure) => {
    for (const width of [240, 340, 538, 1100]) {
      const drawing = drawFigure(figure, width);
      expect(drawing.height).toBe(figureHeight(figure));
      expect(drawing.body.text).not.toMatch(/NaN|Infinity|undefined|<script/);
      for (const mark of drawing.marks) {
        expect(mark.x).toBeGreaterThanOrEqual(-1);
        expect(mark.x).toBeLessThanOrEqual(width + 1);
      }
    }
  });

  test('an empty figure is an empty plot, not a broken one', () => {
    const line = figureOf('roc') as LineFigure;
    const empty = { ...line, series: [{ label: 'none', role: 'this' as const, x: [], y: [] }] };
    expect(drawFigure(empty, 500).body.text).not.toMatch(/NaN|Infinity/);
    const forest = { ...(figureOf('edges') as ForestFigure), rows: [] };
    expect(drawFigure(forest, 500).body.text).not.toMatch(/NaN|Infinity/);
  });
});

describe('forest', () => {
  const figure = figureOf('edges') as ForestFigure;

  test('a dot is filled only where the interval leaves zero', () => {
    const dots = [...drawForest(figure, 600).body.text.matchAll(/class="(role-\w+) (dot|dot-open)"/g)];
    expect(dots.map((match) => match[2])).toEqual(['dot', 'dot-open', 'dot-open', 'dot-open']);
  });

  test('an unknown estimate says why and has no dot', () => {
    const drawing = drawForest(figure, 600);
    expect(drawing.body.text).toContain('fewer than 30');
    expect(drawing.marks.at(-1)?.lines[0]?.[1]).toBe('fewer than 30 positions');
  });

  test('labels of its axis never touch', () => {
    const tight = {
      ...figure,
      zero: 0.5,
      rows: figure.rows.map((row) => ({ ...row, value: 0.501, low: 0.478, high: 0.519 })),
    };
    for (const width of [300, 340, 524, 952, 1100]) {
      const body = drawForest(tight, width).body.text;
      const ends = [...body.matchAll(/<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">([^<]*)</g)];
      expect(ends.length).toBeGreaterThan(2);
      ends.forEach((match, i) => {
        const before = ends[i - 1];
        if (before === undefined) return;
        expect(Number(match[1]) - Number(before[1])).toBeGreaterThan(6.5 * (match[2] ?? '').length);
      });
    }
  });

  test('zero is in the picture though no row comes near it', () => {
    const far = {
      ...figure,
      zero: 0.5,
      rows: figure.rows.slice(0, 1).map((row) => ({ ...row, value: 9, low: 8, high: 10 })),
    };
    expect(drawForest(far, 600).body.text).toContain('class="zero"');
  });
});

describe('lines', () => {
  test('a gap stays a gap', () => {
    expect(
      pathThrough([
        [0, 1],
        [1, 2],
        [2, Number.NaN],
        [3, 4],
        [4, 5],
      ]),
    ).toBe('M0 1L1 2M3 4L4 5');
    const pieces = band([0, 1, 2, 3, 4], [1, 1, Number.NaN, 1, 1], [2, 2, 2, 2, 2], 'b').text.match(/<path/g);
    expect(pieces).toHaveLength(2);
  });

  test('labels stand at the ends only where these are apart', () => {
    expect(labelsAtEnds(figureOf('equity') as LineFigure)).toBe(true);
    expect(labelsAtEnds(figureOf('roc') as LineFigure)).toBe(false);
  });

  test('panels of several folds share their axes', () => {
    const folds = fullModel()
      .figures.map(({ figure }) => figure)
      .filter((figure): figure is LineFigure => figure.id === 'learning-curves' && figure.kind === 'line');
    const shared = folds.map((figure) => sameAxes(figure, folds));
    expect(folds).toHaveLength(6);
    expect(new Set(shared.map((figure) => JSON.stringify([figure.x, figure.y]))).size).toBe(1);
    expect(shared[0]?.y.min).toBeLessThan(0.4);
  });
});

describe('bars', () => {
  const bars = (values: (number | null)[]): BarsFigure => ({
    ...(figureOf('importance') as BarsFigure),
    bars: values.map((value, i) => ({ label: `b${i}`, role: 'this' as const, value })),
  });

  test('are sorted, unknown last', () => {
    expect(sortedBars(bars([1, null, 3, 2])).map((bar) => bar.value)).toEqual([3, 2, 1, null]);
  });

  test('start at zero', () => {
    expect(drawBars(bars([100, 101]), 500).body.text).toContain('>0<');
  });

  test('many are cut with a word about it', () => {
    const many = drawBars(bars(Array.from({ length: 50 }, (_, i) => i)), 500);
    expect(many.body.text).toContain(`and ${50 - MOST_BARS} smaller`);
    expect(many.marks).toHaveLength(MOST_BARS);
  });
});

describe('history of a sweep', () => {
  const sweep = sweepOf(40);

  test('the best so far never gets worse, in either direction', () => {
    for (const goal of ['maximize', 'minimize'] as const) {
      const best = bestSoFar({ ...sweep, goal });
      const known = best.filter((value) => value !== null);
      const sign = goal === 'maximize' ? 1 : -1;
      known.forEach((value, i) => {
        if (i > 0) expect(sign * (value - (known[i - 1] ?? value))).toBeGreaterThanOrEqual(0);
      });
    }
  });

  test('names the winner as the best of all that were tried', () => {
    expect(drawHistory(sweep, 900).body.text).toContain('best of 40');
  });

  test('a failed trial is a cross, not a zero', () => {
    const failed = {
      ...sweep,
      trials: sweep.trials.map((trial, i) => (i === 3 ? { ...trial, score: null, values: [null] } : trial)),
    };
    const drawing = drawHistory(failed, 900);
    expect(drawing.body.text).toContain('cross');
    expect(drawing.marks[3]?.lines[0]?.[1]).toBe('failed or missing');
  });
});

describe('colours', () => {
  const luminance = (rgb: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  test('text on a cell reaches 4.5 to 1 at every value, light and dark', () => {
    for (const dark of [false, true]) {
      for (let share = 0; share <= 1; share += 0.01) {
        const cell = tintRgb(share, dark);
        const ink = inkOn(cell) === '#000' ? 0 : 1;
        const [high, low] = [Math.max(luminance(cell), ink), Math.min(luminance(cell), ink)];
        expect((high + 0.05) / (low + 0.05)).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  test('the ramp keeps 1.2 to 1 against its paper at both ends', () => {
    for (const [dark, paper] of [
      [false, [252, 252, 250]],
      [true, [18, 20, 22]],
    ] as const) {
      for (const share of [0, 1]) {
        const pair = [luminance(rampRgb(share, dark)), luminance(paper)].sort((a, b) => b - a);
        expect(((pair[0] ?? 0) + 0.05) / ((pair[1] ?? 0) + 0.05)).toBeGreaterThan(1.2);
      }
    }
  });

  test('no two series of a figure look the same', () => {
    const classes = roleClasses(['this', 'this', 'baseline', 'baseline', 'other', 'other', 'other', 'other', 'other']);
    expect(new Set(classes).size).toBe(classes.length);
  });
});

describe('tables', () => {
  test('every figure is a table with as many cells as columns', () => {
    for (const figure of [...drawn, mapFigure(20), ...fullModel().figures.map((entry) => entry.figure)]) {
      const table = tabulate(figure);
      expect(table.rows.length).toBeGreaterThan(0);
      for (const row of table.rows) expect(row).toHaveLength(table.head.length);
    }
  });

  test('CSV quotes, keeps digits, writes times as ISO and formulas as text', () => {
    const csv = toCsv({
      head: [
        { name: 'a,b', align: 'left' },
        { name: 'at', align: 'right', time: true },
        { name: 'x', align: 'right' },
      ],
      rows: [
        ['say "hi"', Date.UTC(2026, 0, 1), 0.1234567890123],
        ['=1+1', null, -2],
      ],
    });
    expect(csv).toBe('"a,b",at,x\r\n"say ""hi""",2026-01-01T00:00:00.000Z,0.1234567890123\r\n\'=1+1,,-2\r\n');
    expect(toCsv(tabulate(figureOf('edges')))).toContain(`"${HOSTILE.replaceAll('"', '""')}"`);
  });

  test('sorting puts unknown last both ways and reads numbers in names', () => {
    const cells = ['fold 10', null, 'fold 2'];
    expect(cells.toSorted((a, b) => compareCells(a, b, false))).toEqual(['fold 2', 'fold 10', null]);
    expect(cells.toSorted((a, b) => compareCells(a, b, true))).toEqual(['fold 10', 'fold 2', null]);
    expect([1, Number.NaN, 3].toSorted((a, b) => compareCells(a, b, true))).toEqual([3, 1, Number.NaN]);
  });

  test('a column of whole numbers keeps its digits, another one three', () => {
    const table = {
      head: [
        { name: 'n', align: 'right' as const },
        { name: 'x', align: 'right' as const },
      ],
      rows: [
        [12_345, 29],
        [1, 29.44],
      ],
    };
    expect(columnTexts(table).map((text, i) => text(table.rows[0]?.[i]))).toEqual(['12,345', '29.0']);
  });
});
