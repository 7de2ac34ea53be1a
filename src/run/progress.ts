/** What a person sees while a run goes on: one line that changes on a terminal, plain lines elsewhere. */
import { describeTask, type Task } from '../plan/types.ts';

export interface ProgressOutput {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly columns: number;
}

export interface Progress {
  started(task: Task): void;
  moved(task: Task, done: number, total: number, unit: string): void;
  ended(task: Task, state: string, seconds: number, detail?: string): void;
  /** A line that stays. */
  note(line: string): void;
  finish(): void;
}

/** Plain lines are at most one in so many milliseconds, failures and stage ends excepted. */
const PLAIN_EVERY_MS = 2000;
const TERMINAL_EVERY_MS = 80;

/** `1:05` or `2:03:04`. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/**
 * @param total tasks of the whole run, cached ones included
 * @param cached tasks that are done already
 * @param now milliseconds, monotonic
 */
export function makeProgress(output: ProgressOutput, total: number, cached: number, now: () => number): Progress {
  const startedAt = now();
  const running = new Map<string, { task: Task; done: number; total: number; unit: string }>();
  let done = cached;
  let failed = 0;
  let interrupted = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  let width = 0;

  const summary = (): string => {
    const seconds = (now() - startedAt) / 1000;
    const made = done - cached + failed;
    const rate = seconds > 0 ? made / seconds : 0;
    const left = total - done - failed - interrupted;
    const eta = rate > 0 && left > 0 ? `, ETA ${clockText(left / rate)}` : '';
    const speed =
      rate === 0 ? '' : rate >= 1 ? `, ${rate.toFixed(1)} tasks/s` : `, ${(60 * rate).toFixed(1)} tasks/min`;
    return `${done}/${total} tasks${failed > 0 ? `, ${failed} failed` : ''}${speed}${eta}`;
  };
  const detail = (): string => {
    const parts = [...running.values()].map(({ task, done: at, total: of, unit }) =>
      of > 0 ? `${describeTask(task)} ${at}/${of} ${unit}` : describeTask(task),
    );
    return parts.length > 3 ? `${parts.slice(0, 3).join(' | ')} | +${parts.length - 3}` : parts.join(' | ');
  };
  const clear = (): void => {
    if (output.isTerminal && width > 0) output.write(`\r${' '.repeat(width)}\r`);
    width = 0;
  };
  const show = (force: boolean): void => {
    const at = now();
    if (!force && at - shownAt < (output.isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS)) return;
    shownAt = at;
    const line = `[${clockText((at - startedAt) / 1000)}] ${summary()}${running.size > 0 ? `: ${detail()}` : ''}`;
    if (!output.isTerminal) {
      output.write(`${line}\n`);
      return;
    }
    clear();
    const cut = line.slice(0, Math.max(20, output.columns - 1));
    output.write(cut);
    width = cut.length;
  };
  const note = (line: string): void => {
    clear();
    output.write(`${line}\n`);
    if (output.isTerminal) show(true);
  };
  return {
    started: (task) => {
      running.set(task.id, { task, done: 0, total: 0, unit: '' });
      show(false);
    },
    moved: (task, at, of, unit) => {
      running.set(task.id, { task, done: at, total: of, unit });
      show(false);
    },
    ended: (task, state, seconds, why) => {
      running.delete(task.id);
      if (state === 'done') {
        done++;
        show(false);
      } else {
        if (state === 'interrupted') interrupted++;
        else failed++;
        note(`${describeTask(task)} ${state} after ${clockText(seconds)}${why === undefined ? '' : `: ${why}`}`);
      }
    },
    note,
    finish: () => {
      clear();
      output.write(`[${clockText((now() - startedAt) / 1000)}] ${summary()}\n`);
    },
  };
}
