/** Exit codes of `bin/fathom`, documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  taskFailed: 1,
  badInput: 2,
  usage: 64,
  unavailable: 69,
  internal: 70,
  io: 74,
  interrupted: 75,
} as const;

export type ErrorCode =
  /** The experiment file, an override or a dataset description is wrong. */
  | 'experiment'
  /** The data is wrong: a bad row, a truncated file, a missing column. */
  | 'data'
  /** The command line is wrong. */
  | 'usage'
  /** An engine or native library is missing or has the wrong version. */
  | 'unavailable'
  /** A disk is full, a folder is read-only, a file has vanished. */
  | 'io'
  /** A task or a worker failed. */
  | 'task'
  /** Stopped on request; running again continues. */
  | 'interrupted'
  /** A promise between our own parts is broken: a bug. */
  | 'internal';

/** A place in a text file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

const exitOf: Record<ErrorCode, number> = {
  experiment: EXIT.badInput,
  data: EXIT.badInput,
  usage: EXIT.usage,
  unavailable: EXIT.unavailable,
  io: EXIT.io,
  task: EXIT.taskFailed,
  interrupted: EXIT.interrupted,
  internal: EXIT.internal,
};

/** A plain copy of an error that survives a worker or process boundary, where custom properties of errors are lost. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly at?: Place;
}

/**
 * An error that a user can act on. It prints as one line, `file:line:column: message`, with the fix in `hint`;
 * anything that is not a FathomError is a bug and prints with its stack only under `--debug`.
 */
export class FathomError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly at: Place | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    detail: { hint?: string | undefined; at?: Place | undefined; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'FathomError';
    this.code = code;
    this.hint = detail.hint;
    this.at = detail.at;
  }

  get exitCode(): number {
    return exitOf[this.code];
  }

  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.at === undefined ? {} : { at: this.at }),
    };
  }

  static fromData(data: ErrorData): FathomError {
    return new FathomError(data.code, data.message, { hint: data.hint, at: data.at });
  }
}

/** Several errors found in one pass, all shown at once. */
export class FathomErrors extends FathomError {
  readonly errors: readonly FathomError[];

  constructor(errors: readonly FathomError[]) {
    const first = errors[0];
    super(first?.code ?? 'internal', errors.map((e) => formatError(e)).join('\n'));
    this.name = 'FathomErrors';
    this.errors = errors;
  }
}

/** `file:line:column`, as editors and terminals make clickable. */
export function formatPlace(at: Place): string {
  return [at.file, at.line, at.line === undefined ? undefined : at.column].filter((p) => p !== undefined).join(':');
}

/** The one text of an error that users see. */
export function formatError(error: FathomError): string {
  if (error instanceof FathomErrors) return error.errors.map(formatError).join('\n');
  const place = error.at === undefined ? '' : `${formatPlace(error.at)}: `;
  const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
  return `${place}${error.message}${hint}`;
}

const systemMessages: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  EMFILE: 'too many open files',
};

/** Turns what a system call throws into one clear error that names the path; other errors pass unchanged. */
export function fromSystemError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof FathomError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const meaning = code === undefined ? undefined : systemMessages[code];
  if (meaning === undefined) return error;
  const path = (error as NodeJS.ErrnoException).path;
  return new FathomError('io', `${doing}: ${meaning}${path === undefined ? '' : ` (${path})`}`, { cause: error });
}
