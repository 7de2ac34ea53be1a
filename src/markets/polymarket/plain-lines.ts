/**
 * Tells lines of poly_data's trades that are written plainly: every field as poly_data itself writes it, see
 * kernels/plain-lines.ts. Their fields need none of the checks of text that take most of the time of an import; see
 * `plainTrades`.
 */
import { type Kernels, makeKernels, type Pointer } from '../../kernels/kernels.ts';

/** Beyond the last line feed the kernel may look at a few bytes more. */
const SLACK = 64;

export class PlainLines {
  /** Lines that the last `run` went over. */
  lines = 0;
  private readonly kernels: Kernels = makeKernels();
  private readonly count: Pointer = this.kernels.allocate(4);
  private block: Pointer = 0;
  private capacity = 0;

  /** Takes the bytes that the next runs go over: whole lines. */
  load(lines: Uint8Array): void {
    if (lines.length > this.capacity) {
      this.capacity = 2 * lines.length;
      this.block = this.kernels.allocate(this.capacity + SLACK);
    }
    new Uint8Array(this.kernels.memory.buffer).set(lines, this.block);
  }

  /**
   * Goes over plain lines from `at`, where one begins, as long as they begin before `limit`; gives where the first other
   * one begins, or the first that does not begin before `limit`.
   */
  run(at: number, limit: number): number {
    const { kernels, block, count } = this;
    const end = kernels.plainRun(block + at, block + limit, count) >>> 0;
    this.lines = new Int32Array(kernels.memory.buffer, count, 1)[0] as number;
    return end - block;
  }
}
