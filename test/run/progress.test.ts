import { describe, expect, it } from 'vitest';
import type { Task } from '../../src/plan/types.ts';
import { clockText, makeProgress, type Progress } from '../../src/run/progress.ts';

function task(stage: string, fold?: number): Task {
  return { id: `${stage}${fold}`, stage, coordinates: fold === undefined ? {} : { fold } } as unknown as Task;
}

function recorded(
  isTerminal: boolean,
  total: number,
  cached = 0,
  columns = 60,
): { progress: Progress; text: () => string; at: (seconds: number) => void } {
  let text = '';
  let now = 5000;
  const output = {
    write: (more: string) => {
      text += more;
    },
    isTerminal,
    columns,
  };
  return {
    progress: makeProgress(output, total, cached, () => now),
    text: () => text,
    at: (seconds) => {
      now = 5000 + 1000 * seconds;
    },
  };
}

/** What a terminal shows after a text with carriage returns. */
function screen(text: string): string[] {
  return text.split('\n').map((line) => {
    let shown = '';
    for (const part of line.split('\r')) shown = part + shown.slice(part.length);
    return shown.trimEnd();
  });
}

it('clockText says minutes, and hours where there are any', () => {
  expect([0, 0.4, 65, 3599.6, 7384, -3].map(clockText)).toEqual(['0:00', '0:00', '1:05', '1:00:00', '2:03:04', '0:00']);
});

describe('plain output', () => {
  it('has a line at most every two seconds, each whole', () => {
    const { progress, text, at } = recorded(false, 100);
    for (let tenth = 0; tenth < 60; tenth++) {
      at(tenth / 10);
      const one = task('fit', tenth);
      progress.started(one);
      progress.ended(one, 'done', 0.1);
    }
    expect(text()).not.toContain('\r');
    const lines = text().trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe('[0:02] 20/100 tasks, 10.0 tasks/s, ETA 0:08: fit (fold 20)');
  });

  it('always says which task failed, and why', () => {
    const { progress, text, at } = recorded(false, 3);
    progress.started(task('fit', 0));
    at(0.1);
    progress.ended(task('fit', 0), 'failed', 65, 'no memory');
    expect(text()).toContain('fit (fold 0) failed after 1:05: no memory\n');
    at(1);
    progress.finish();
    expect(text()).toMatch(/\[0:01\] 0\/3 tasks, 1 failed, 1\.0 tasks\/s, ETA 0:02\n$/);
  });

  it('does not call what was interrupted failed', () => {
    const { progress, text } = recorded(false, 3);
    progress.ended(task('fit', 0), 'interrupted', 2);
    progress.finish();
    expect(text()).toContain('fit (fold 0) interrupted after 0:02\n');
    expect(text()).not.toContain('1 failed');
  });
});

describe('rates', () => {
  it('count what this run has made, not what it found', () => {
    const { progress, text, at } = recorded(false, 100, 90);
    at(120);
    progress.ended(task('fit'), 'done', 1);
    expect(text()).toBe('[2:00] 91/100 tasks, 0.5 tasks/min, ETA 18:00\n');
  });

  it('say nothing before anything is known, nor an ETA when nothing is left', () => {
    const { progress, text, at } = recorded(false, 1);
    progress.started(task('fit'));
    expect(text()).toBe('[0:00] 0/1 tasks: fit\n');
    at(4);
    progress.ended(task('fit'), 'done', 4);
    expect(text()).toContain('[0:04] 1/1 tasks, 15.0 tasks/min\n');
  });
});

describe('a terminal', () => {
  it('has one line that changes, with what runs and how far it is', () => {
    const { progress, text, at } = recorded(true, 4, 0, 100);
    progress.started(task('fit', 0));
    at(1);
    progress.moved(task('fit', 0), 3, 20, 'epochs');
    expect(screen(text())).toEqual(['[0:01] 0/4 tasks: fit (fold 0) 3/20 epochs']);
    at(2);
    for (const fold of [1, 2, 3, 4]) progress.started(task('fit', fold));
    at(3);
    progress.moved(task('fit', 0), 4, 20, 'epochs');
    expect(screen(text())).toEqual(['[0:03] 0/4 tasks: fit (fold 0) 4/20 epochs | fit (fold 1) | fit (fold 2) | +2']);
  });

  it('keeps notes above the line, and ends on a line of its own', () => {
    const { progress, text, at } = recorded(true, 2);
    progress.started(task('fit', 0));
    at(1);
    progress.note('something to know');
    expect(screen(text())).toEqual(['something to know', '[0:01] 0/2 tasks: fit (fold 0)']);
    at(2);
    progress.ended(task('fit', 0), 'done', 2);
    progress.finish();
    expect(screen(text())).toEqual(['something to know', '[0:02] 1/2 tasks, 30.0 tasks/min, ETA 0:02', '']);
  });

  it('never fills its width, so that lines do not wrap', () => {
    const { progress, text, at } = recorded(true, 2, 0, 30);
    progress.started(task('a-stage-with-a-rather-long-name', 0));
    at(1);
    progress.moved(task('a-stage-with-a-rather-long-name', 0), 1, 2, 'epochs');
    for (const line of screen(text())) expect(line.length).toBeLessThan(30);
  });
});
