import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyed, moved, OPEN, parallelAxes, passing } from '../../src/report/draw/parallel.ts';
import { buildGrid, fitView, insidePolygon, nearest, zoomView } from '../../src/report/draw/plane.ts';
import { sweepOf } from './fixture.ts';

describe('parallel coordinates', () => {
  const sweep = sweepOf(60);
  const axes = parallelAxes(sweep);
  const open = axes.map(() => OPEN);

  test('have an axis a parameter and one for the score, each trial between 0 and 1', () => {
    expect(axes.map((axis) => axis.name)).toEqual([
      'learningRate (log)',
      'dropout',
      'hidden',
      'batchSize',
      'validation.score',
    ]);
    for (const axis of axes) {
      for (const place of axis.places) if (place !== null) expect(place >= 0 && place <= 1).toBe(true);
    }
  });

  test('a list and a number find their category by text', () => {
    expect(axes[2]?.places[0]).not.toBeNull();
    expect(axes[2]?.textAt(axes[2].places[0] ?? 0)).toBe(JSON.stringify(sweep.trials[0]?.params['hidden']));
    expect(axes[3]?.textAt(axes[3].places[0] ?? 0)).toBe(String(sweep.trials[0]?.params['batchSize']));
  });

  test('a value that was not declared gets a category of its own', () => {
    const odd = {
      ...sweep,
      trials: sweep.trials.map((trial, i) =>
        i === 0 ? { ...trial, params: { ...trial.params, hidden: 'odd' } } : trial,
      ),
    };
    expect(parallelAxes(odd)[2]?.categories).toBe(4);
  });

  test('open handles let everything through, failed trials too', () => {
    expect(passing(axes, open, 60).every(Boolean)).toBe(true);
  });

  test('a brush keeps the trials between its handles and drops those without a value', () => {
    const brushes = open.with(4, { low: 0.5, high: 1 });
    const kept = passing(axes, brushes, 60);
    sweep.trials.forEach((trial, i) => {
      expect(kept[i]).toBe(trial.score !== null && (axes[4]?.places[i] ?? 0) >= 0.5);
    });
    expect(kept.filter(Boolean).length).toBeGreaterThan(0);
    expect(kept.filter(Boolean).length).toBeLessThan(60);
  });

  test('handles never pass each other, nor the ends', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...axes),
        fc.array(
          fc.tuple(fc.constantFrom('low' as const, 'high' as const), fc.double({ min: -2, max: 3, noNaN: true })),
        ),
        (axis, moves) => {
          let brush = OPEN;
          for (const [handle, place] of moves) brush = moved(axis, brush, handle, place);
          expect(brush.low).toBeGreaterThanOrEqual(0);
          expect(brush.high).toBeLessThanOrEqual(1);
          expect(brush.low).toBeLessThanOrEqual(brush.high);
        },
      ),
    );
  });

  test('keys move by steps, on categories by one of them', () => {
    const [number, , category] = axes;
    if (number === undefined || category === undefined) throw new Error('axes are missing');
    expect(keyed(number, 0.5, 'ArrowUp')).toBeCloseTo(0.52);
    expect(keyed(number, 0.5, 'PageDown')).toBeCloseTo(0.4);
    expect(keyed(number, 0.5, 'Home')).toBe(0);
    expect(keyed(number, 0.5, 'x')).toBeUndefined();
    expect(moved(category, OPEN, 'low', keyed(category, 0, 'ArrowUp') ?? 0).low).toBeCloseTo(1 / 3);
  });
});

describe('the map', () => {
  const points = fc.array(
    fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: -50, max: 50, noNaN: true })),
    { minLength: 1, maxLength: 200 },
  );

  test('finds the same nearest point as looking at all of them', () => {
    fc.assert(
      fc.property(
        points,
        fc.double({ min: -60, max: 60, noNaN: true }),
        fc.double({ min: 0.5, max: 40, noNaN: true }),
        (all, at, radius) => {
          const x = all.map(([value]) => value);
          const y = all.map(([, value]) => value);
          const found = nearest(buildGrid(x, y), x, y, at, -at / 2, radius);
          const distances = all.map(([px, py]) => Math.hypot(px - at, py + at / 2));
          const least = Math.min(...distances);
          if (least < radius - 1e-9) expect(distances[found]).toBeCloseTo(least, 9);
          else if (least > radius + 1e-9) expect(found).toBe(-1);
        },
      ),
    );
  });

  test('all points fit into the view', () => {
    const view = fitView([-3, 9], [100, 200], 400, 300);
    for (const [x, y] of [
      [-3, 100],
      [9, 200],
    ] as const) {
      const [px, py] = [view.offsetX + x * view.scale, view.offsetY - y * view.scale];
      expect(px > 0 && px < 400 && py > 0 && py < 300).toBe(true);
    }
    expect(fitView([], [], 400, 300).scale).toBe(1);
    expect(Number.isFinite(fitView([2, 2], [3, 3], 400, 300).scale)).toBe(true);
  });

  test('zooming holds the point under the pointer', () => {
    const view = { scale: 2, offsetX: 10, offsetY: 20 };
    const zoomed = zoomView(view, 3, 100, 60);
    const data = (100 - view.offsetX) / view.scale;
    expect(zoomed.offsetX + data * zoomed.scale).toBeCloseTo(100);
  });

  test('a lasso holds what is inside, concave or not', () => {
    const concave = [
      [0, 0],
      [10, 0],
      [10, 10],
      [5, 2],
      [0, 10],
    ] as const;
    expect(insidePolygon(concave, 1, 5)).toBe(true);
    expect(insidePolygon(concave, 5, 6)).toBe(false);
    expect(insidePolygon(concave, 12, 5)).toBe(false);
  });
});
