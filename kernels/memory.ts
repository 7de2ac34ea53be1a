/** Memory of a kernel instance: blocks that are never freed; the whole instance goes when its owner does. */

/** A zeroed block of `bytes` bytes at a multiple of 64. Growing the memory invalidates the caller's typed arrays. */
export function allocate(bytes: usize): usize {
  const start = (heap.alloc(bytes + 64) + 63) & ~(<usize>63);
  memory.fill(start, 0, bytes);
  return start;
}

/** Copies rows `indices[0..count)` of a table of `rowBytes` a row, one below the other, to `target`. */
export function gather(target: usize, table: usize, indices: usize, count: i32, rowBytes: usize): void {
  for (let i = 0; i < count; i++) {
    const row = <usize>load<u32>(indices + (<usize>i << 2));
    memory.copy(target, table + row * rowBytes, rowBytes);
    target += rowBytes;
  }
}
