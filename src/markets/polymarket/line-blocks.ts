/** Reads a large text file in blocks of whole lines, into memory in which kernels count them. */
import { open } from 'node:fs/promises';
import { fromSystemError } from '../../errors.ts';
import { type Kernels, makeKernels, type Pointer } from '../../kernels/kernels.ts';
import { ALIGNMENT, aligned, areReadDirect, openDirect } from '../../tables/direct.ts';
import { bytesOf } from '../records/bytes.ts';

const BLOCK_BYTES = 4 << 20;
const LINE_FEED = 10;

/** Beyond the last line the kernels look at a few bytes more. */
const SLACK = 64;

/** For errors of the system. */
const DOING = 'reading a CSV file';

/** Whole lines. They are void once the next block is asked for. */
export class LineBlock {
  /** The lines; a last one without a line break has got one here. */
  readonly bytes: Buffer;
  /** False if the last line of the file lacks its line break. */
  readonly endsInLineBreak: boolean;
  /** Lines that the last `skip` went over. */
  skipped = 0;
  private readonly kernels: Kernels;
  private readonly start: Pointer;

  constructor(kernels: Kernels, start: Pointer, bytes: Buffer, endsInLineBreak: boolean) {
    this.kernels = kernels;
    this.start = start;
    this.bytes = bytes;
    this.endsInLineBreak = endsInLineBreak;
  }

  /** How many lines there are; undefined if there is a quote, a carriage return or an empty line among them. */
  get plainLines(): number | undefined {
    const count = this.kernels.countLines(this.start, this.start + this.bytes.length);
    return count < 0 ? undefined : count;
  }

  /** Whether there is a quote or an empty line from `at` on, where a line begins. */
  hasOddLines(at: number): boolean {
    return this.kernels.hasOddLines(this.start + at, this.start + this.bytes.length) !== 0;
  }

  /** Goes over the lines that begin at `at` or later and before `limit`; gives where the next one begins. */
  skip(at: number, limit: number): number {
    const end = this.kernels.skipLines(this.start + at, this.start + limit) >>> 0;
    this.skipped = this.kernels.skippedLines();
    return end - this.start;
  }
}

/**
 * The lines of a file, gunzipped if its name ends in `.gz`. While a block is looked at, the next is being read.
 *
 * @param cachedBytes see `areReadDirect`; where that can be
 */
export async function* lineBlocks(file: string, cachedBytes?: number): AsyncGenerator<LineBlock> {
  const kernels = makeKernels();
  const source = file.endsWith('.gz') ? gunzipped(file) : await plain(file, cachedBytes);
  let reading: Promise<number> | undefined;
  try {
    let room = makeRoom(kernels, 2 * BLOCK_BYTES);
    // What is held lies before `filled`, which stays at a multiple of the alignment until the end of the file.
    let from = 0;
    let filled = 0;
    for (;;) {
      const count = await (reading ?? source.read(room.memory, filled, BLOCK_BYTES));
      reading = undefined;
      if (count === 0) break;
      filled += count;
      const end = room.memory.lastIndexOf(LINE_FEED, filled - 1) + 1;
      const whole = end > from;
      const place = whole ? aligned(filled - end) : filled;
      if (room.size - place < BLOCK_BYTES) {
        const old = room;
        room = makeRoom(kernels, 2 * old.size);
        // Making it may have moved the memory.
        bufferOf(kernels, old.start, old.size).copy(room.memory, from, from, filled);
      }
      if (!whole) continue;
      const { memory, start, other } = room;
      const rest = filled - end;
      // Read to a multiple of the alignment, with the line that has begun before it.
      memory.copy(other.memory, place - rest, end, filled);
      reading = source.read(other.memory, place, BLOCK_BYTES);
      // It may fail before anybody waits for it.
      reading.catch(() => undefined);
      yield new LineBlock(kernels, start + from, memory.subarray(from, end), true);
      room = { ...other, size: room.size, other: { memory, start } };
      from = place - rest;
      filled = place;
    }
    if (filled === from) return;
    room.memory[filled] = LINE_FEED;
    yield new LineBlock(kernels, room.start + from, room.memory.subarray(from, filled + 1), false);
  } finally {
    await reading?.catch(() => undefined);
    await source.close();
  }
}

/** Memory for a block, and as much for the next one. */
interface Room {
  readonly size: number;
  readonly start: Pointer;
  readonly memory: Buffer;
  readonly other: { readonly start: Pointer; readonly memory: Buffer };
}

function makeRoom(kernels: Kernels, size: number): Room {
  const [start, other] = [allocate(kernels, size), allocate(kernels, size)];
  const memory = bufferOf(kernels, start, size);
  return { size, start, memory, other: { start: other, memory: bufferOf(kernels, other, size) } };
}

function allocate(kernels: Kernels, size: number): Pointer {
  return aligned(kernels.allocate(size + ALIGNMENT + SLACK));
}

const bufferOf = (kernels: Kernels, start: Pointer, size: number): Buffer =>
  Buffer.from(kernels.memory.buffer, start, size);

interface Source {
  /** Puts up to `length` bytes into a buffer from a place on; gives how many, 0 at the end. */
  read(buffer: Buffer, at: number, length: number): Promise<number>;
  close(): Promise<void>;
}

const failed = (error: unknown): never => {
  throw fromSystemError(error, DOING);
};

async function plain(file: string, cachedBytes: number | undefined): Promise<Source> {
  let handle = await open(file).catch(failed);
  const { size } = await handle.stat();
  let direct = areReadDirect([{ path: file, bytes: size }], cachedBytes);
  if (direct) {
    const other = await openDirect(file, 'r');
    direct = other !== undefined;
    if (other !== undefined) {
      await handle.close();
      handle = other;
    }
  }
  let position = 0;
  return {
    read: async (buffer, at, length) => {
      // Past the cache only whole blocks can be read: nothing is asked for after the last one, which is shorter.
      if (direct && position >= size) return 0;
      const { bytesRead } = await handle.read(buffer, at, length, position).catch(async (error) => {
        if (!direct || error.code !== 'EINVAL') return failed(error);
        // Some file systems refuse only here.
        direct = false;
        await handle.close();
        handle = await open(file).catch(failed);
        return handle.read(buffer, at, length, position).catch(failed);
      });
      position += bytesRead;
      return bytesRead;
    },
    close: () => handle.close(),
  };
}

function gunzipped(file: string): Source {
  const chunks = bytesOf(file, DOING);
  let rest: Buffer = Buffer.alloc(0);
  return {
    // Filled as far as can be, so that only the end of the file is at no multiple of the alignment.
    read: async (buffer, at, length) => {
      let count = 0;
      while (count < length) {
        if (rest.length === 0) rest = (await chunks.next()).value ?? rest;
        if (rest.length === 0) break;
        const taken = rest.copy(buffer, at + count, 0, length - count);
        rest = rest.subarray(taken);
        count += taken;
      }
      return count;
    },
    close: async () => {
      await chunks.return(undefined);
    },
  };
}
