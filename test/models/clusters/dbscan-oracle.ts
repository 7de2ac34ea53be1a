/** DBSCAN in plain TypeScript and double precision throughout: a search for every row, then from core row to core row. */
import type { Density } from '../../../src/models/clusters/dbscan.ts';
import { squaredDistance } from '../../../src/models/clusters/k-means.ts';
import type { Points } from '../../../src/models/feature-space.ts';

/**
 * Core rows within `eps` of each other are of one cluster; a row that is not core belongs to the first cluster with a
 * core row within `eps`. The same labels as scikit-learn's.
 */
export function dbscanByOracle(points: Points, eps: number, minPoints: number): Density {
  const { rows } = points;
  const around = rangeSearch(points, eps);
  const core = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    let count = 0;
    around(i, () => {
      count++;
    });
    core[i] = count >= minPoints ? 1 : 0;
  }
  const labels = new Int32Array(rows).fill(-1);
  let clusters = 0;
  for (let first = 0; first < rows; first++) {
    if (labels[first] !== -1 || core[first] === 0) continue;
    labels[first] = clusters;
    const open = [first];
    for (let row = open.pop(); row !== undefined; row = open.pop()) {
      around(row, (other) => {
        if (labels[other] !== -1) return;
        labels[other] = clusters;
        if (core[other] === 1) open.push(other);
      });
    }
    clusters++;
  }
  return { labels, core, clusters };
}

/** Calls back with every row within `eps` of a row, itself included. Only rows near in the widest column are measured. */
function rangeSearch(
  { rows, columns, values }: Points,
  eps: number,
): (row: number, found: (other: number) => void) => void {
  const axis = widestColumn({ rows, columns, values });
  const at = (row: number): number => values[row * columns + axis] as number;
  const order = Int32Array.from({ length: rows }, (_, i) => i).sort((a, b) => at(a) - at(b) || a - b);
  const place = new Int32Array(rows);
  for (const [p, row] of order.entries()) place[row] = p;
  const squaredEps = eps * eps;
  return (row, found) => {
    const near = (p: number): boolean => {
      const other = order[p] as number;
      const gap = at(other) - at(row);
      if (gap * gap > squaredEps) return false;
      if (squaredDistance(values, row * columns, values, other * columns, columns) <= squaredEps) found(other);
      return true;
    };
    const start = place[row] as number;
    for (let p = start; p < rows && near(p); p++);
    for (let p = start - 1; p >= 0 && near(p); p--);
  };
}

function widestColumn({ rows, columns, values }: Points): number {
  let widest = 0;
  let width = -1;
  for (let c = 0; c < columns; c++) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < rows; i++) {
      const value = values[i * columns + c] as number;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high - low > width) {
      width = high - low;
      widest = c;
    }
  }
  return widest;
}
