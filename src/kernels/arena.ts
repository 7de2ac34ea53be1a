/** Room in the memory of one kernel instance, handed out piece by piece and taken back as a whole. */
import type { Kernels, Pointer } from './kernels.ts';

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

export class Arena {
  readonly #kernels: Kernels;
  #start: Pointer = 0;
  #capacity = 0;
  #used = 0;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /**
   * Takes everything back and hands out pieces of these sizes in bytes, at multiples of 64. Their content is not
   * defined. Views of the memory made before are void: it may have grown.
   */
  lay<Name extends string>(sizes: Readonly<Record<Name, number>>): Record<Name, Pointer> {
    const entries = Object.entries(sizes) as [Name, number][];
    const needed = entries.reduce((sum, [, bytes]) => sum + aligned(bytes), 0);
    if (needed > this.#capacity) {
      this.#start = this.#kernels.allocate(needed);
      this.#capacity = needed;
    }
    this.#used = 0;
    const places = {} as Record<Name, Pointer>;
    for (const [name, bytes] of entries) {
      places[name] = this.#start + this.#used;
      this.#used += aligned(bytes);
    }
    return places;
  }
}
