/** Memory for what is made of one thing after another, in the memory of one kernel instance. */
import type { Kernels, Pointer } from './kernels.ts';

const ALIGNMENT = 64;

/** What is made for one thing has room for one that is a little larger. */
const SPARE = 1.25;

export class Scratch {
  private readonly kernels: Kernels;
  private start: Pointer = 0;
  private capacity = 0;
  private used = 0;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  /** Takes everything back. */
  begin(): void {
    // What did not fit the last time does now, and in one block.
    if (this.used > this.capacity) {
      this.capacity = Math.ceil(SPARE * this.used);
      this.start = this.kernels.allocate(this.capacity);
    }
    this.used = 0;
  }

  /** So many bytes, whose content is not defined. Views of the memory made before are void: it may have grown. */
  take(bytes: number): Pointer {
    const at = this.used;
    this.used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return this.used <= this.capacity ? this.start + at : this.kernels.allocate(bytes);
  }

  ints(at: Pointer, count: number): Int32Array {
    return new Int32Array(this.kernels.memory.buffer, at, count);
  }

  /** Takes memory for some numbers and puts them there. */
  put(numbers: Int32Array): Pointer {
    const at = this.take(4 * numbers.length);
    this.ints(at, numbers.length).set(numbers);
    return at;
  }
}
