/** Geometry of the map: fitting points to the canvas, finding the nearest one, and what a lasso holds. */

/** `screen = offset + scale * value`; y grows downwards on the screen and upwards in the data. */
export interface View {
  readonly scale: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** The view that shows all points with a margin and equal scales, as distances in a projection mean something. */
export function fitView(x: readonly number[], y: readonly number[], width: number, height: number, margin = 24): View {
  let [minX, maxX, minY, maxY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < x.length; i++) {
    const px = x[i] ?? Number.NaN;
    const py = y[i] ?? Number.NaN;
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    minX = Math.min(minX, px);
    maxX = Math.max(maxX, px);
    minY = Math.min(minY, py);
    maxY = Math.max(maxY, py);
  }
  if (!(minX <= maxX)) return { scale: 1, offsetX: width / 2, offsetY: height / 2 };
  const spanX = maxX - minX || 1;
  const spanY = maxY - minY || 1;
  const scale = Math.min((width - 2 * margin) / spanX, (height - 2 * margin) / spanY);
  return {
    scale,
    offsetX: width / 2 - (scale * (minX + maxX)) / 2,
    offsetY: height / 2 + (scale * (minY + maxY)) / 2,
  };
}

/** The view zoomed by a factor, with the point under (x, y) held still. */
export function zoomView(view: View, factor: number, x: number, y: number): View {
  return {
    scale: view.scale * factor,
    offsetX: x - (x - view.offsetX) * factor,
    offsetY: y - (y - view.offsetY) * factor,
  };
}

/** Points sorted into square cells, so that a look-up touches a few of them. */
export interface Grid {
  readonly cell: number;
  readonly minX: number;
  readonly minY: number;
  readonly columns: number;
  readonly rows: number;
  /** Start of each cell in `order`. */
  readonly starts: Int32Array;
  readonly order: Int32Array;
}

export function buildGrid(x: readonly number[], y: readonly number[]): Grid {
  const n = x.length;
  let [minX, maxX, minY, maxY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    minX = Math.min(minX, x[i] ?? Infinity);
    maxX = Math.max(maxX, x[i] ?? -Infinity);
    minY = Math.min(minY, y[i] ?? Infinity);
    maxY = Math.max(maxY, y[i] ?? -Infinity);
  }
  // About four points a cell.
  const cell = Math.max(1e-12, Math.sqrt(((maxX - minX || 1) * (maxY - minY || 1) * 4) / Math.max(1, n)));
  const columns = Math.max(1, Math.min(2000, Math.floor((maxX - minX) / cell) + 1));
  const rows = Math.max(1, Math.min(2000, Math.floor((maxY - minY) / cell) + 1));
  const starts = new Int32Array(columns * rows + 1);
  const cellOf = (i: number): number => {
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((x[i] ?? 0) - minX) / cell)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((y[i] ?? 0) - minY) / cell)));
    return row * columns + column;
  };
  for (let i = 0; i < n; i++) starts[cellOf(i) + 1] = (starts[cellOf(i) + 1] ?? 0) + 1;
  for (let c = 0; c < columns * rows; c++) starts[c + 1] = (starts[c + 1] ?? 0) + (starts[c] ?? 0);
  const next = starts.slice();
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const c = cellOf(i);
    const slot = next[c] ?? 0;
    order[slot] = i;
    next[c] = slot + 1;
  }
  return { cell, minX, minY, columns, rows, starts, order };
}

/** Index of the nearest point within a radius (data units) that `allowed` lets through, or -1. */
export function nearest(
  grid: Grid,
  x: readonly number[],
  y: readonly number[],
  atX: number,
  atY: number,
  radius: number,
  allowed: (index: number) => boolean = () => true,
): number {
  const clampTo = (value: number, top: number): number => Math.max(0, Math.min(top, value));
  const from = clampTo(Math.floor((atX - radius - grid.minX) / grid.cell), grid.columns - 1);
  const to = clampTo(Math.floor((atX + radius - grid.minX) / grid.cell), grid.columns - 1);
  const low = clampTo(Math.floor((atY - radius - grid.minY) / grid.cell), grid.rows - 1);
  const high = clampTo(Math.floor((atY + radius - grid.minY) / grid.cell), grid.rows - 1);
  let best = -1;
  let least = radius * radius;
  for (let row = low; row <= high; row++) {
    for (let column = from; column <= to; column++) {
      const c = row * grid.columns + column;
      for (let k = grid.starts[c] ?? 0; k < (grid.starts[c + 1] ?? 0); k++) {
        const i = grid.order[k] ?? -1;
        const distance = ((x[i] ?? 0) - atX) ** 2 + ((y[i] ?? 0) - atY) ** 2;
        if (distance <= least && allowed(i)) {
          least = distance;
          best = i;
        }
      }
    }
  }
  return best;
}

/** Even-odd test of a point against a closed polygon. */
export function insidePolygon(polygon: readonly (readonly [number, number])[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i] ?? [0, 0];
    const [bx, by] = polygon[j] ?? [0, 0];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
