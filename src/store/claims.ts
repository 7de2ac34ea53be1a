/**
 * Claims keep two runs from doing the same task at once. They are a courtesy: the first rename into the store wins.
 *
 * A claim is a hard link to one file of its owner, which says who that is and whose time of change is the owner's
 * heartbeat. Making a link is atomic on network file systems too, and needs no new inode: ext4 looks through all that
 * were deleted in the last seconds before it gives out a new one, so that a file for each claim cost more than a
 * small task. Where the file system has no links, each claim is a file of its own.
 */
import { link, mkdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryName } from './files.ts';

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
  /** As in node:fs; tests pass one that fails. */
  readonly link?: (existing: string, made: string) => Promise<void>;
}

export interface Claimant {
  /**
   * Takes the claim on a task, or returns undefined if a living owner has it. A claim is dead if its process (on this
   * host) is gone or its heartbeat has stopped.
   */
  tryClaim(task: string): Promise<Claim | undefined>;
  /** Ends the heartbeat. Claims must have been released. */
  close(): Promise<void>;
}

/** @param folder where the claims of all runs lie, a file a task */
export function makeClaimant(folder: string, owner: ClaimOwner, effects: ClaimEffects): Claimant {
  const held = new Set<string>();
  const card = `${temporaryName(path.join(folder, owner.host))}.owner`;
  const content = JSON.stringify(owner);
  let ready: Promise<void> | undefined;
  let links = true;
  const timer = setInterval(() => {
    const now = new Date();
    for (const file of [card, ...(links ? [] : held)]) utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  timer.unref();

  /** False if the claim is there already. */
  const take = async (file: string): Promise<boolean> => {
    try {
      if (links) await (effects.link ?? link)(card, file);
      else await writeFile(file, content, { flag: 'wx' });
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') return false;
      if (!links) throw error;
      links = false;
      return take(file);
    }
  };
  return {
    tryClaim: async (task) => {
      ready ??= mkdir(folder, { recursive: true }).then(() => writeFile(card, content));
      await ready;
      const file = path.join(folder, task);
      for (let attempt = 0; attempt < 3; attempt++) {
        if (await take(file)) {
          held.add(file);
          return {
            takenOver: attempt > 0,
            release: async () => {
              held.delete(file);
              await unlink(file).catch((error: NodeJS.ErrnoException) => {
                if (error.code !== 'ENOENT') throw error;
              });
            },
          };
        }
        if (!(await isDead(file, owner, effects))) return undefined;
        await rm(file, { force: true });
      }
      return undefined;
    },
    close: async () => {
      clearInterval(timer);
      // What cannot be removed is dead soon: it has no heartbeat.
      if (ready !== undefined) await rm(card, { force: true }).catch(() => undefined);
    },
  };
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
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
