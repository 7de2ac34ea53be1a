/**
 * Paths through an isolation tree. A node takes 16 bytes: the value that is cut at (f64), the offset of the column in a
 * row (u32) and that of the left child among the nodes (u32); the right child follows the left one. A leaf is cut at
 * infinity and is its own left child, so all rows take the same number of steps and there is nothing to predict.
 */

// @ts-ignore: decorator
@inline
function next(nodes: usize, node: usize, row: usize): usize {
  const goesRight = load<f64>(row + <usize>load<u32>(node, 8)) > load<f64>(node);
  return nodes + <usize>load<u32>(node, 12) + (<usize>goesRight << 4);
}

/**
 * Adds to `totals` (f64 a row) the length of the leaf that each row reaches within `depth` steps; `lengths`: f64 a node.
 * Eight rows take turns, so that none need wait for the loads of its own step before.
 */
export function isolationLengths(
  rows: usize, count: i32, columns: i32, nodes: usize, lengths: usize, depth: i32, totals: usize,
): void {
  const bytes = <usize>columns << 3;
  const last = rows + <usize>(count - 1) * bytes;
  for (let i = 0; i < count; i += 8) {
    const row0 = rows + <usize>i * bytes;
    const row1 = min(row0 + bytes, last);
    const row2 = min(row1 + bytes, last);
    const row3 = min(row2 + bytes, last);
    const row4 = min(row3 + bytes, last);
    const row5 = min(row4 + bytes, last);
    const row6 = min(row5 + bytes, last);
    const row7 = min(row6 + bytes, last);
    let node0 = nodes;
    let node1 = nodes;
    let node2 = nodes;
    let node3 = nodes;
    let node4 = nodes;
    let node5 = nodes;
    let node6 = nodes;
    let node7 = nodes;
    for (let step = 0; step < depth; step++) {
      node0 = next(nodes, node0, row0);
      node1 = next(nodes, node1, row1);
      node2 = next(nodes, node2, row2);
      node3 = next(nodes, node3, row3);
      node4 = next(nodes, node4, row4);
      node5 = next(nodes, node5, row5);
      node6 = next(nodes, node6, row6);
      node7 = next(nodes, node7, row7);
    }
    const to = totals + (<usize>i << 3);
    const left = count - i;
    addLength(to, nodes, node0, lengths);
    if (left > 1) addLength(to + 8, nodes, node1, lengths);
    if (left > 2) addLength(to + 16, nodes, node2, lengths);
    if (left > 3) addLength(to + 24, nodes, node3, lengths);
    if (left > 4) addLength(to + 32, nodes, node4, lengths);
    if (left > 5) addLength(to + 40, nodes, node5, lengths);
    if (left > 6) addLength(to + 48, nodes, node6, lengths);
    if (left > 7) addLength(to + 56, nodes, node7, lengths);
  }
}

// @ts-ignore: decorator
@inline
function addLength(total: usize, nodes: usize, node: usize, lengths: usize): void {
  store<f64>(total, load<f64>(total) + load<f64>(lengths + ((node - nodes) >> 1)));
}
