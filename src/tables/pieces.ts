/**
 * Files that are written from front to back, piece by piece: what is given is copied, and the pieces are written while the
 * caller goes on.
 */
import { type FileHandle, open, rm, truncate } from 'node:fs/promises';
import { aligned, DirectMemory, openDirect, writeBytes } from './direct.ts';

/** A piece is large enough to be written at full speed, and there are enough of them that nobody waits for long. */
const PIECE_BYTES = 1 << 20;
const PIECES = 6;

/** The pieces of one thread, for one file after the other: one may begin while the last pieces of another are written. */
export class PieceWriter {
  private readonly direct: boolean;
  private readonly free: Uint8Array[];
  /** Who waits for a piece. */
  private readonly waiting: ((piece: Uint8Array) => void)[] = [];

  /**
   * @param direct true to write past the system's cache, where the file system lets it
   * @param pieces how many there are
   */
  constructor(direct: boolean, pieces = PIECES) {
    this.direct = direct;
    const memory = new DirectMemory().reach(pieces * PIECE_BYTES);
    this.free = Array.from({ length: pieces }, (_, i) => memory.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
  }

  /** Makes a file. The file before it must have been ended or abandoned. */
  async open(path: string): Promise<FileInPieces> {
    const direct = this.direct ? await openDirect(path, 'w') : undefined;
    return new FileInPieces(path, direct ?? (await open(path, 'w')), this);
  }

  take(): Uint8Array | Promise<Uint8Array> {
    return this.free.pop() ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  give(piece: Uint8Array): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free.push(piece);
    else next(piece);
  }
}

export class FileInPieces {
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly pieces: PieceWriter;
  /** Opened in the usual way, once the file system has refused to write past the cache. */
  private usual: Promise<FileHandle> | undefined;
  private piece: Uint8Array | undefined;
  private filled = 0;
  /** Bytes in pieces that are full. */
  private before = 0;
  private readonly writes: Promise<void>[] = [];
  private last: Promise<void> = Promise.resolve();

  constructor(path: string, file: FileHandle, pieces: PieceWriter) {
    this.path = path;
    this.file = file;
    this.pieces = pieces;
  }

  /** Appends some bytes, which may change once this is done; it waits only while all pieces are being written. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      this.piece ??= await this.pieces.take();
      const some = bytes.subarray(done, done + PIECE_BYTES - this.filled);
      this.piece.set(some, this.filled);
      this.filled += some.length;
      done += some.length;
      if (this.filled === PIECE_BYTES) this.writePiece();
    }
  }

  /** Writes what is left. Nothing may be appended any more; done once all bytes are in the file. */
  async end(): Promise<void> {
    const bytes = this.before + this.filled;
    this.writePiece();
    await this.close();
    await Promise.all(this.writes);
    // Only whole pages can be written past the cache.
    await truncate(this.path, bytes);
  }

  /** Leaves nothing. */
  async abandon(): Promise<void> {
    if (this.piece !== undefined) this.pieces.give(this.piece);
    this.piece = undefined;
    await this.close();
    await rm(this.path, { force: true });
  }

  private async close(): Promise<void> {
    await Promise.allSettled(this.writes);
    await this.file.close();
    await (await this.usual)?.close();
  }

  private writePiece(): void {
    const { piece, filled, before } = this;
    if (piece === undefined) return;
    this.piece = undefined;
    this.filled = 0;
    this.before += filled;
    // One at a time: while a file grows the system lets no other write in, and who waits for that keeps a core busy.
    const write = this.last
      .then(() => this.write(piece.subarray(0, aligned(filled)), before))
      .finally(() => this.pieces.give(piece));
    // Whoever ends the file is told.
    this.last = write.catch(() => undefined);
    this.writes.push(write);
  }

  private async write(bytes: Uint8Array, from: number): Promise<void> {
    try {
      await writeBytes(this.file, bytes, from);
    } catch (error) {
      // Some file systems refuse only when it comes to writing.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      this.usual ??= open(this.path, 'r+');
      await writeBytes(await this.usual, bytes, from);
    }
  }
}
