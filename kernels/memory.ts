/** Memory of a kernel instance: blocks that are never freed; the whole instance goes when its owner does. */

/**
 * A zeroed block of `bytes` bytes at a multiple of 64. Growing the memory invalidates the caller's typed arrays. New
 * memory is zero as it comes, and filling it would make the system provide all of it at once. Traps at the end of what
 * can be addressed, where the allocator would begin anew without a word.
 */
export function allocate(bytes: usize): usize {
  const at = (heap.alloc(bytes + 64) + 63) & ~(<usize>63);
  if (<u64>at + <u64>bytes + 128 > <u64>u32.MAX_VALUE) unreachable();
  return at;
}

/**
 * Copies rows `indices[0..count)` of a table of `rowBytes` a row, a multiple of 16, one below the other, to `target`.
 * For rows of a few hundred bytes a loop is faster than `memory.copy`, which is a call.
 */
export function gather(target: usize, table: usize, indices: usize, count: i32, rowBytes: usize): void {
  for (let i = 0; i < count; i++) {
    const row = table + <usize>load<u32>(indices + (<usize>i << 2)) * rowBytes;
    for (let j: usize = 0; j < rowBytes; j += 16) v128.store(target + j, v128.load(row + j));
    target += rowBytes;
  }
}
