/** Lists of unsigned 64-bit keys: the smallest of them, and all in order. */

// @ts-ignore: decorator
@inline
function key(keys: usize, i: i32): u64 {
  return load<u64>(keys + (<usize>i << 3));
}

/** The middle one of the first, the middle and the last key. */
// @ts-ignore: decorator
@inline
function pivotOf(keys: usize, low: i32, high: i32): u64 {
  const a = key(keys, low);
  const b = key(keys, (low + high) >> 1);
  const c = key(keys, high);
  return max(min(a, b), min(max(a, b), c));
}

// @ts-ignore: decorator
@inline
function swap(keys: usize, i: i32, j: i32): void {
  const held = key(keys, i);
  store<u64>(keys + (<usize>i << 3), key(keys, j));
  store<u64>(keys + (<usize>j << 3), held);
}

/** Puts the `k` smallest of `count` keys first, in any order (quickselect; Hoare 1961). */
export function selectSmallest(keys: usize, count: i32, k: i32): void {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = pivotOf(keys, low, high);
    let i = low;
    let j = high;
    while (i <= j) {
      while (key(keys, i) < pivot) i++;
      while (key(keys, j) > pivot) j--;
      if (i <= j) {
        swap(keys, i, j);
        i++;
        j--;
      }
    }
    if (k - 1 <= j) high = j;
    else if (k - 1 >= i) low = i;
    else break;
  }
}

/** Sorts keys, smallest first: quicksort, and insertion for short stretches. */
export function sortKeys(keys: usize, count: i32): void {
  let low = 0;
  let high = count - 1;
  while (high - low > 16) {
    const pivot = pivotOf(keys, low, high);
    let i = low;
    let j = high;
    while (i <= j) {
      while (key(keys, i) < pivot) i++;
      while (key(keys, j) > pivot) j--;
      if (i <= j) {
        swap(keys, i, j);
        i++;
        j--;
      }
    }
    // The shorter part by recursion, so that its depth stays below 32.
    if (j - low < high - i) {
      sortKeys(keys + (<usize>low << 3), j - low + 1);
      low = i;
    } else {
      sortKeys(keys + (<usize>i << 3), high - i + 1);
      high = j;
    }
  }
  for (let i = low + 1; i <= high; i++) {
    const held = key(keys, i);
    let place = i;
    while (place > low && key(keys, place - 1) > held) {
      store<u64>(keys + (<usize>place << 3), key(keys, place - 1));
      place--;
    }
    store<u64>(keys + (<usize>place << 3), held);
  }
}
