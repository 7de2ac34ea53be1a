/** Claims keep two runs from doing the same task at once. They are a courtesy: the first rename into the store wins. */
import { mkdir, open, readFile, rm, stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';

/** A claim whose heartbeat is older than this is dead. Generous, since network file systems lag. */
export const STALE_AFTER_MS = 60_000;
export const HEARTBEAT_MS = 10_000;

export interface Claim {
  /** True if somebody who died had it before: what they left may lie about. */
  readonly takenOver: boolean;
  release(): Promise<void>;
}

export interface ClaimOwner {
  readonly host: string;
  readonly pid: number;
}

export interface ClaimEffects {
  now(): number;
  /** True if a process of this machine lives. */
  alive(pid: number): boolean;
}

/**
 * Takes the claim on a file, or returns undefined if a living owner has it. A claim is dead if its process (on this
 * host) is gone or its heartbeat has stopped.
 */
export async function tryClaim(file: string, owner: ClaimOwner, effects: ClaimEffects): Promise<Claim | undefined> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const made = await create(file, owner);
    if (made) return heartbeat(file, attempt > 0);
    if (!(await isDead(file, owner, effects))) return undefined;
    await rm(file, { force: true });
  }
  return undefined;
}

async function create(file: string, owner: ClaimOwner): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(JSON.stringify(owner));
    await handle.close();
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return false;
    if (code !== 'ENOENT') throw error;
    await mkdir(path.dirname(file), { recursive: true });
    return create(file, owner);
  }
}

async function isDead(file: string, owner: ClaimOwner, effects: ClaimEffects): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    if (effects.now() - mtimeMs > STALE_AFTER_MS) return true;
    // An empty file is being written right now.
    if (text === '') return false;
    const other = JSON.parse(text) as ClaimOwner;
    return other.host === owner.host && !effects.alive(other.pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    return false;
  }
}

function heartbeat(file: string, takenOver: boolean): Claim {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    takenOver,
    release: async () => {
      clearInterval(timer);
      await unlink(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    },
  };
}
