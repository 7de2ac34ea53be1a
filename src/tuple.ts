/** A list of `N` values of one type, to be taken apart by name: `const [low, high] = bounds as Tuple<number, 2>`. */
export type Tuple<T, N extends number, Made extends readonly T[] = []> = Made['length'] extends N
  ? Made
  : Tuple<T, N, [...Made, T]>;
