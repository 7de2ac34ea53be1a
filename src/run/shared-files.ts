/** Input files in memory that worker threads share. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Task } from '../plan/types.ts';
import { outputFile } from './context.ts';
import type { Session } from './session.ts';

/** Files up to this size in all are kept. */
const SHARED_BYTES = 1 << 30;

/** Frames that several worker threads read, loaded once. */
export class SharedFiles {
  readonly #files = new Map<string, Promise<SharedArrayBuffer>>();
  #bytes = 0;

  async of(session: Session, task: Task): Promise<Record<string, SharedArrayBuffer>> {
    const found: Record<string, SharedArrayBuffer> = {};
    for (const input of Object.values(task.inputs).flat()) {
      if (input.kind !== 'frame') continue;
      const file = path.join(session.store.paths.artifact(input.task), outputFile(input.output, input.kind));
      const loaded = this.#files.get(file) ?? this.#load(file);
      this.#files.set(file, loaded);
      found[file] = await loaded;
    }
    return found;
  }

  async #load(file: string): Promise<SharedArrayBuffer> {
    const bytes = await readFile(file);
    if (this.#bytes + bytes.length > SHARED_BYTES) {
      this.#files.clear();
      this.#bytes = 0;
    }
    this.#bytes += bytes.length;
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }
}
