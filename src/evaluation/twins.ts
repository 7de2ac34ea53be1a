/** Rows with equal features: a copy of a test row in the training set is remembered, not predicted. */

/** Numbers equal for rows in which all columns hold the same values; missing values equal each other. */
export function twinsOf(columns: readonly ArrayLike<number>[], rows: number): Int32Array {
  // One column refines the classes of the columns before it: (class so far, value) names the new class.
  let classes = new Int32Array(rows);
  for (const values of columns) {
    const names = new Map<number, Map<number, number>>();
    const refined = new Int32Array(rows);
    let next = 0;
    for (let row = 0; row < rows; row++) {
      const before = classes[row] as number;
      let byValue = names.get(before);
      if (byValue === undefined) {
        byValue = new Map();
        names.set(before, byValue);
      }
      const value = values[row] as number;
      let name = byValue.get(value);
      if (name === undefined) {
        name = next++;
        byValue.set(value, name);
      }
      refined[row] = name;
    }
    classes = refined;
    if (next === rows) break;
  }
  return classes;
}
