/** Effects that keep what a command printed. */
import type { CliEffects } from '../../src/cli/effects.ts';

export function recordedEffects(cwd = '/'): CliEffects & { readonly lines: string[]; readonly text: () => string } {
  const lines: string[] = [];
  return {
    lines,
    text: () => lines.join('\n'),
    out: (line) => void lines.push(line),
    err: (line) => void lines.push(`stderr: ${line}`),
    cwd,
    env: {},
  };
}
