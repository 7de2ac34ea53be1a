/** Names with numbers by first appearance (kernels/names.ts), and room for what is looked up. */
import type { Kernels, Pointer } from './kernels.ts';
import { Scratch } from './scratch.ts';

export class NumberedNames {
  /** `Names` of the kernels. */
  readonly names: Pointer;
  private readonly kernels: Kernels;
  private readonly scratch: Scratch;

  /** @param scratch may serve several tables of one instance of the kernels */
  constructor(kernels: Kernels, scratch = new Scratch(kernels)) {
    this.kernels = kernels;
    this.scratch = scratch;
    this.names = kernels.makeNames();
  }

  get count(): number {
    return this.kernels.nameCount(this.names);
  }

  /**
   * The numbers of some texts; new ones get the next. They are void once others are asked for.
   *
   * @param texts one behind the other, each with its length (u32) before it
   */
  numbersOf(texts: Uint8Array, count: number): Int32Array {
    const { kernels, scratch } = this;
    scratch.begin();
    const [at, numbers] = [scratch.take(texts.length), scratch.take(4 * count)];
    new Uint8Array(kernels.memory.buffer, at, texts.length).set(texts);
    kernels.numberNames(this.names, at, count, numbers);
    return scratch.ints(numbers, count);
  }
}
