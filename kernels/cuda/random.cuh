// Random bits as a function of counters alone: no state, so any order of threads gives the same masks.
#pragma once

/** A finaliser with good avalanche (Wellons, "prospecting for hash functions", lowbias32). */
__device__ __forceinline__ u32 mix(u32 h) {
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return h;
}

/** Key of a layer's masks in one step. */
__device__ __forceinline__ u32 maskKey(u32 seed, u32 step, u32 layer) {
  return mix(mix(seed ^ mix(step + 0x9e3779b9u)) + layer * 0x85ebca6bu);
}

/** True if the unit stays; `unit` counts over the rows of the batch and the padded units of the layer. */
__device__ __forceinline__ bool stays(u32 key, u32 unit, u32 threshold) { return mix(key + unit * 0x9e3779b9u) >= threshold; }
