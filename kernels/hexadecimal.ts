/** Hexadecimal digits in small letters, sixteen at a time. */

/** Which of 16 characters are such digits. */
// @ts-ignore: decorator
@inline
export function hexadecimal(at: usize): v128 {
  const characters = v128.load(at);
  const digits = i8x16.le_u(i8x16.sub(characters, i8x16.splat(48)), i8x16.splat(9));
  const letters = i8x16.le_u(i8x16.sub(characters, i8x16.splat(97)), i8x16.splat(5));
  return v128.or(digits, letters);
}

/** The number of 16 digits. */
// @ts-ignore: decorator
@inline
export function sixteenDigits(at: usize): u64 {
  const characters = v128.load(at);
  // The lower half of a letter is its place from 1.
  const isLetter = i8x16.gt_u(characters, i8x16.splat(57));
  const digits = i8x16.add(v128.and(characters, i8x16.splat(15)), v128.and(i8x16.splat(9), isLetter));
  // Each two digits become a byte; the first byte is the highest.
  const pairs = v128.or(i16x8.shl(digits, 4), i16x8.shr_u(digits, 8));
  const bytes = i8x16.swizzle(pairs, i8x16(14, 12, 10, 8, 6, 4, 2, 0, -1, -1, -1, -1, -1, -1, -1, -1));
  return <u64>i64x2.extract_lane(bytes, 0);
}
