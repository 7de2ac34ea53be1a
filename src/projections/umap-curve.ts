/** UMAP's similarity in the map, 1 / (1 + a d^(2b)). */
import { FathomError } from '../errors.ts';
import { exp, log, pow } from '../numeric/elementary.ts';

export interface Curve {
  readonly a: number;
  readonly b: number;
}

/**
 * The a and b whose curve is nearest, in least squares over 299 distances up to 3 spreads, to 1 up to `minDist` and
 * exp(-(d - minDist) / spread) beyond: as in the reference implementation. Levenberg-Marquardt from a = b = 1.
 */
export function fitCurve(minDist: number, spread: number): Curve {
  if (!(minDist >= 0 && spread > 0 && minDist <= 3 * spread))
    throw new FathomError('data', `minDist ${minDist} and spread ${spread} describe no curve`, {
      hint: 'minDist is at least 0 and below spread',
    });
  const distances = Float64Array.from({ length: 299 }, (_, i) => ((i + 1) * 3 * spread) / 299);
  const wanted = distances.map((d) => (d < minDist ? 1 : exp(-(d - minDist) / spread)));
  const squaresAt = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < distances.length; i++) {
      const residual = (wanted[i] as number) - 1 / (1 + a * pow(distances[i] as number, 2 * b));
      sum += residual * residual;
    }
    return sum;
  };
  let a = 1;
  let b = 1;
  let damping = 1e-3;
  let squares = squaresAt(a, b);
  for (let step = 0; step < 200; step++) {
    let gradientA = 0;
    let gradientB = 0;
    let aa = 0;
    let ab = 0;
    let bb = 0;
    for (let i = 0; i < distances.length; i++) {
      const d = distances[i] as number;
      const power = pow(d, 2 * b);
      const value = 1 / (1 + a * power);
      const slopeA = -value * value * power;
      const slopeB = 2 * a * log(d) * slopeA;
      const residual = (wanted[i] as number) - value;
      gradientA += slopeA * residual;
      gradientB += slopeB * residual;
      aa += slopeA * slopeA;
      ab += slopeA * slopeB;
      bb += slopeB * slopeB;
    }
    aa *= 1 + damping;
    bb *= 1 + damping;
    const determinant = aa * bb - ab * ab;
    const nextA = a + (bb * gradientA - ab * gradientB) / determinant;
    const nextB = b + (aa * gradientB - ab * gradientA) / determinant;
    const next = nextA > 0 && nextB > 0 ? squaresAt(nextA, nextB) : Infinity;
    if (next < squares) {
      const gained = squares - next;
      [a, b, squares] = [nextA, nextB, next];
      damping /= 10;
      if (gained < 1e-15) break;
    } else damping *= 10;
  }
  return { a, b };
}
