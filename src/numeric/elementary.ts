/**
 * exp, log and friends from additions, products, quotients and square roots alone. V8's own may change between Node
 * versions; these give equal bits everywhere. Accuracy: a few ulp.
 */

const view = new DataView(new ArrayBuffer(8));
// biome-ignore lint/correctness/noPrecisionLoss: the digits of a double whose last bits are zero
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.9082149292705877e-10;

/** Natural logarithm. NaN below 0, -Infinity at 0. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  let scaled = x;
  let exponent = 0;
  if (scaled < 2.2250738585072014e-308) {
    scaled *= 18014398509481984;
    exponent = -54;
  }
  view.setFloat64(0, scaled);
  const high = view.getUint32(0);
  exponent += (high >>> 20) - 1023;
  view.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let m = view.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716: the series in s^2 converges to 1e-17 in ten terms.
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let series = 0;
  for (let k = 21; k >= 3; k -= 2) series = z * (1 / k + series);
  return exponent * LN2_HIGH + (2 * s + (2 * s * series + exponent * LN2_LOW));
}

/** e to the x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x * Math.LOG2E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let i = 14; i >= 1; i--) sum = 1 + (r / i) * sum;
  const half = Math.trunc(k / 2);
  return sum * powerOfTwo(half) * powerOfTwo(k - half);
}

function powerOfTwo(k: number): number {
  view.setUint32(0, (k + 1023) << 20);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** sqrt(-2 log p), the radius of Box-Muller and the tail variable of normal quantiles. */
export function sqrtOfMinusTwoLog(p: number): number {
  return Math.sqrt(-2 * log(p));
}

/** x to the y for x > 0. */
export function pow(x: number, y: number): number {
  return exp(y * log(x));
}

/** The logistic function, 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** log(p / (1 - p)). */
export function logit(p: number): number {
  return log(p / (1 - p));
}

export function tanh(x: number): number {
  if (x > 20) return 1;
  if (x < -20) return -1;
  const e = exp(2 * x);
  return (e - 1) / (e + 1);
}
