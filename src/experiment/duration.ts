/** Lengths of time as people and SLURM write them. */
import type { Tuple } from '../tuple.ts';

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

export const durationForm = '90s, 30m, 2h, 1d, 1d12h, or as SLURM has it: HH:MM:SS, D-HH:MM:SS';

/** Seconds of `2h`, `1d12h`, `02:00:00`, `1-12:00:00`; undefined for anything else, or for none at all. */
export function durationSeconds(text: string): number | undefined {
  const clock = /^(?:(\d+)-)?(\d{1,3}):(\d{2}):(\d{2})$/.exec(text);
  let seconds: number;
  if (clock !== null) {
    const [days, hours, minutes, rest] = clock
      .slice(1)
      .map((part) => Number((part as string | undefined) ?? 0)) as Tuple<number, 4>;
    if (minutes > 59 || rest > 59) return undefined;
    seconds = days * 86400 + hours * 3600 + minutes * 60 + rest;
  } else {
    if (!/^(?:\d+(?:\.\d+)?[smhdw])+$/.test(text)) return undefined;
    seconds = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)) {
      seconds += Number(amount) * (unitSeconds[unit as string] as number);
    }
    seconds = Math.round(seconds);
  }
  return seconds > 0 ? seconds : undefined;
}
