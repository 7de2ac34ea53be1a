/** What commands may touch. Tests pass their own. */
export interface CliEffects {
  /** A line on standard output: what a script wants. */
  out(line: string): void;
  /** A line on standard error: what a person wants. */
  err(line: string): void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
