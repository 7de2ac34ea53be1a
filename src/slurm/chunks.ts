/** Array indices: chunks under MaxArraySize, and their short spelling. */

export interface Chunk {
  /** Added to SLURM_ARRAY_TASK_ID by the script. */
  readonly offset: number;
  /** Indices within the chunk, ascending. */
  readonly indices: readonly number[];
}

/**
 * Cuts slots into chunks. MaxArraySize caps the index, not the count: every chunk starts at 0 again and carries an
 * offset.
 */
export function chunksOf(slots: readonly number[], maxArraySize: number): Chunk[] {
  const chunks = new Map<number, number[]>();
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const offset = Math.floor(slot / maxArraySize) * maxArraySize;
    const indices = chunks.get(offset) ?? [];
    indices.push(slot - offset);
    chunks.set(offset, indices);
  }
  return [...chunks].map(([offset, indices]) => ({ offset, indices }));
}

/** `0-4,7,9-10`. */
export function spellIndices(indices: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < indices.length; ) {
    let last = i;
    while (indices[last + 1] === (indices[last] as number) + 1) last++;
    parts.push(last === i ? `${indices[i]}` : `${indices[i]}-${indices[last]}`);
    i = last + 1;
  }
  return parts.join(',');
}

/** How many of each chunk may run at once, so that all together keep to the throttle. */
export function throttleOf(throttle: number | undefined, chunks: number): string {
  return throttle === undefined ? '' : `%${Math.max(1, Math.floor(throttle / chunks))}`;
}
