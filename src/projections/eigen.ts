/** Eigenvalues and eigenvectors of symmetric matrices, in double precision: equal bits on every machine. */

/** Up to this size rotations are used; beyond it they are too slow. */
const MOST_ROTATED = 64;
/** QL steps for one eigenvalue; two or three are usual. */
const MOST_STEPS = 60;

/** Eigenvalues (largest first) and unit eigenvectors, `vectors[component * size + i]`, of a symmetric matrix. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

export function symmetricEigen(symmetric: Float64Array, size: number): Eigen {
  return size <= MOST_ROTATED ? jacobi(symmetric, size) : byTridiagonal(symmetric, size);
}

/**
 * Cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations", 8.5): only products, quotients and square roots,
 * so equal bits on every machine.
 */
function jacobi(symmetric: Float64Array, size: number): Eigen {
  const a = Float64Array.from(symmetric);
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  let total = 0;
  for (const x of a) total += x * x;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        const apq = a[p * size + q] as number;
        off += apq * apq;
        if (Math.abs(apq) > 1e-300) rotate(a, v, size, p, q);
      }
    if (off <= 1e-30 * total) break;
  }
  return ordered(
    Float64Array.from({ length: size }, (_, i) => a[i * size + i] as number),
    v,
    size,
  );
}

/** One rotation in the plane of axes p and q that makes `a[p][q]` zero; `v` collects the rotations. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const theta = ((a[q * size + q] as number) - (a[p * size + p] as number)) / (2 * (a[p * size + q] as number));
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const mix = (m: Float64Array, i: number, j: number): void => {
    const x = m[i] as number;
    const y = m[j] as number;
    m[i] = c * x - s * y;
    m[j] = s * x + c * y;
  };
  for (let i = 0; i < size; i++) mix(a, i * size + p, i * size + q);
  for (let i = 0; i < size; i++) mix(a, p * size + i, q * size + i);
  for (let i = 0; i < size; i++) mix(v, i * size + p, i * size + q);
}

/**
 * Householder reflections to a tridiagonal matrix, then implicit QL steps (Golub and Van Loan, 8.3; Bowdler, Martin,
 * Reinsch, Wilkinson 1968), vectors carried along.
 */
function byTridiagonal(symmetric: Float64Array, size: number): Eigen {
  const { diagonal, beside, vectors } = tridiagonal(symmetric, size);
  qlSteps(diagonal, beside, vectors, size);
  const columns = new Float64Array(size * size);
  for (let e = 0; e < size; e++) for (let i = 0; i < size; i++) columns[i * size + e] = vectors[e * size + i] as number;
  return ordered(diagonal, columns, size);
}

/**
 * `diagonal` and `beside` (beside[i] links i and i + 1) of Q' A Q. `vectors` holds the columns of Q one after the other,
 * so that the rotations to come run over neighbours in memory.
 */
function tridiagonal(
  symmetric: Float64Array,
  size: number,
): { diagonal: Float64Array; beside: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(symmetric);
  const beside = new Float64Array(size);
  // Reflections I - 2 u u' / u'u that clear column k below its first neighbour; u is kept in row k of `mirrors`.
  const mirrors = new Float64Array(size * size);
  const factors = new Float64Array(size);
  const p = new Float64Array(size);
  for (let k = 0; k < size - 1; k++) {
    let squares = 0;
    for (let i = k + 1; i < size; i++) squares += (a[k * size + i] as number) ** 2;
    const next = a[k * size + k + 1] as number;
    const length = Math.sqrt(squares);
    const tail = squares - next * next;
    if (!(tail > 0)) {
      beside[k] = next;
      continue;
    }
    const image = next > 0 ? -length : length;
    beside[k] = image;
    const u = mirrors.subarray(k * size, (k + 1) * size);
    for (let i = k + 1; i < size; i++) u[i] = a[k * size + i] as number;
    u[k + 1] = next - image;
    const factor = 2 / (tail + (next - image) ** 2);
    factors[k] = factor;
    // A <- A - u q' - q u', with p = factor A u and q = p - (factor / 2) (p'u) u.
    let along = 0;
    for (let i = k + 1; i < size; i++) {
      let sum = 0;
      for (let j = k + 1; j < size; j++) sum += (a[i * size + j] as number) * (u[j] as number);
      p[i] = factor * sum;
      along += (p[i] as number) * (u[i] as number);
    }
    const half = (factor * along) / 2;
    for (let i = k + 1; i < size; i++) p[i] = (p[i] as number) - half * (u[i] as number);
    for (let i = k + 1; i < size; i++) {
      const [ui, pi] = [u[i] as number, p[i] as number];
      for (let j = k + 1; j < size; j++)
        a[i * size + j] = (a[i * size + j] as number) - ui * (p[j] as number) - pi * (u[j] as number);
    }
  }
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let k = size - 2; k >= 0; k--) {
    const factor = factors[k] as number;
    if (factor === 0) continue;
    const u = mirrors.subarray(k * size, (k + 1) * size);
    for (let column = k + 1; column < size; column++) {
      const at = column * size;
      let sum = 0;
      for (let i = k + 1; i < size; i++) sum += (u[i] as number) * (vectors[at + i] as number);
      sum *= factor;
      for (let i = k + 1; i < size; i++) vectors[at + i] = (vectors[at + i] as number) - sum * (u[i] as number);
    }
  }
  return { diagonal: Float64Array.from({ length: size }, (_, i) => a[i * size + i] as number), beside, vectors };
}

/** Turns `diagonal` into the eigenvalues and the columns in `vectors` into the eigenvectors. */
function qlSteps(diagonal: Float64Array, beside: Float64Array, vectors: Float64Array, size: number): void {
  const at = (list: Float64Array, i: number): number => list[i] as number;
  for (let first = 0; first < size; first++) {
    for (let step = 0; step < MOST_STEPS; step++) {
      let last = first;
      while (last < size - 1) {
        const scale = Math.abs(at(diagonal, last)) + Math.abs(at(diagonal, last + 1));
        if (Math.abs(at(beside, last)) <= 2 ** -53 * scale) break;
        last++;
      }
      if (last === first) break;
      let g = (at(diagonal, first + 1) - at(diagonal, first)) / (2 * at(beside, first));
      let r = Math.sqrt(g * g + 1);
      g = at(diagonal, last) - at(diagonal, first) + at(beside, first) / (g + (g < 0 ? -r : r));
      let [sine, cosine, shift] = [1, 1, 0];
      let i = last - 1;
      for (; i >= first; i--) {
        const f = sine * at(beside, i);
        const b = cosine * at(beside, i);
        r = Math.sqrt(f * f + g * g);
        beside[i + 1] = r;
        if (r === 0) {
          diagonal[i + 1] = at(diagonal, i + 1) - shift;
          beside[last] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = at(diagonal, i + 1) - shift;
        r = (at(diagonal, i) - g) * sine + 2 * cosine * b;
        shift = sine * r;
        diagonal[i + 1] = g + shift;
        g = cosine * r - b;
        turn(vectors, i * size, size, cosine, sine);
      }
      if (r === 0 && i >= first) continue;
      diagonal[first] = at(diagonal, first) - shift;
      beside[first] = g;
      beside[last] = 0;
    }
  }
}

/** Rotates the column that begins at `from` with the next one. */
function turn(vectors: Float64Array, from: number, size: number, cosine: number, sine: number): void {
  for (let k = from; k < from + size; k++) {
    const f = vectors[k + size] as number;
    const x = vectors[k] as number;
    vectors[k + size] = sine * x + cosine * f;
    vectors[k] = cosine * x - sine * f;
  }
}

/** Eigenvalues from the largest on; an eigenvector's sign is free: the entry of largest size is made positive. */
function ordered(values: Float64Array, columns: Float64Array, size: number): Eigen {
  const order = Array.from({ length: size }, (_, i) => i).sort(
    (i, j) => (values[j] as number) - (values[i] as number) || i - j,
  );
  const vectors = new Float64Array(size * size);
  for (const [component, e] of order.entries()) {
    for (let i = 0; i < size; i++) vectors[component * size + i] = columns[i * size + e] as number;
    makePositive(vectors.subarray(component * size, (component + 1) * size));
  }
  return { values: Float64Array.from(order, (e) => values[e] as number), vectors };
}

/** Turns a vector round if its entry of largest size is negative. */
export function makePositive(vector: Float64Array): void {
  let largest = 0;
  for (let i = 1; i < vector.length; i++)
    if (Math.abs(vector[i] as number) > Math.abs(vector[largest] as number)) largest = i;
  if ((vector[largest] as number) >= 0) return;
  for (let i = 0; i < vector.length; i++) vector[i] = -(vector[i] as number);
}
