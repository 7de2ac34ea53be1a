/** Texts of one length in the order in which they come, of which only those that follow each other are told to be the same. */
import { entryOf, isSame } from './text-table';
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class TextList {
  /** Bytes of a text: 16 or more. */
  length: usize;
  count: i32;
  /** By number: four bytes with the length of the text, and the text. */
  entries: usize;
}

/** Room for `capacity` texts. */
export function makeTextList(length: usize, capacity: i32): TextList {
  const list = changetype<TextList>(allocate(offsetof<TextList>()));
  list.length = length;
  list.entries = allocate(<usize>capacity * (length + 4) + 16);
  return list;
}

export function emptyTextList(list: TextList): void {
  list.count = 0;
}

// @ts-ignore: decorator
@inline
export function isLastText(list: TextList, at: usize): bool {
  const length = list.length;
  return list.count > 0 && isSame(entryOf(list.entries, list.count - 1, length), at, length);
}

/** Adds a text, which is not the last one. */
// @ts-ignore: decorator
@inline
export function addText(list: TextList, at: usize): void {
  const length = list.length;
  const entry = entryOf(list.entries, list.count, length);
  store<u32>(entry - 4, <u32>length);
  memory.copy(entry, at, length);
  list.count++;
}
