import type { Role } from '../../contract/figure.ts';

type Rgb = readonly [number, number, number];

/** Ten stops of viridis (Smith and van der Walt 2015, matplotlib). */
const viridis: readonly Rgb[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
];

/** Okabe and Ito's hues, darkened on light paper and lifted on dark; yellow is left out, it does not carry on paper. */
const categories: readonly { readonly light: string; readonly dark: string }[] = [
  { light: '#0072b2', dark: '#56b4e9' },
  { light: '#b87500', dark: '#e69f00' },
  { light: '#008a65', dark: '#1fb88c' },
  { light: '#b8628f', dark: '#d48bb0' },
  { light: '#d55e00', dark: '#f0772a' },
  { light: '#3391ca', dark: '#9ad0f2' },
  { light: '#474c53', dark: '#e9ebed' },
];
const rest = { light: '#a9aeb5', dark: '#565d65' };

/** Most categories that get a hue of their own; the others share a grey. */
export const CATEGORY_COLOURS = categories.length;

/** Viridis at 0 to 1, cut where it would meet the paper. */
export function rampRgb(share: number, dark: boolean): Rgb {
  const bounded = Math.max(0, Math.min(1, share));
  const place = (dark ? 0.22 + 0.78 * bounded : 0.86 * bounded) * (viridis.length - 1);
  const index = Math.min(viridis.length - 2, Math.floor(place));
  const from = viridis[index] ?? [0, 0, 0];
  const to = viridis[index + 1] ?? from;
  const part = place - index;
  const mix = (k: 0 | 1 | 2): number => Math.round(from[k] + (to[k] - from[k]) * part);
  return [mix(0), mix(1), mix(2)];
}

export function rampColour(share: number, dark: boolean): string {
  return `rgb(${rampRgb(share, dark).join(',')})`;
}

/** The ramp as one CSS value for both themes. */
export function rampBoth(share: number): string {
  return `light-dark(${rampColour(share, false)},${rampColour(share, true)})`;
}

/** From nearly paper to four fifths of this run's blue: what is small or empty stays pale. */
export function tintRgb(share: number, dark: boolean): Rgb {
  const paper: Rgb = dark ? [26, 29, 32] : [255, 255, 255];
  const ink: Rgb = dark ? [86, 180, 233] : [0, 114, 178];
  const part = 0.04 + 0.76 * Math.max(0, Math.min(1, share));
  const mix = (k: 0 | 1 | 2): number => Math.round(paper[k] + (ink[k] - paper[k]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** The tint as one CSS value for both themes. */
export function tintBoth(share: number): string {
  return `light-dark(rgb(${tintRgb(share, false).join(',')}),rgb(${tintRgb(share, true).join(',')}))`;
}

/** Black or white, whichever reads better on a colour (WCAG relative luminance). */
export function inkOn([r, g, b]: Rgb): '#000' | '#fff' {
  const channel = (value: number): number => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b) > 0.179 ? '#000' : '#fff';
}

/** The ink on a tint as one CSS value for both themes. */
export function inkOnTint(share: number): string {
  return `light-dark(${inkOn(tintRgb(share, false))},${inkOn(tintRgb(share, true))})`;
}

export function categoryColour(index: number, dark: boolean): string {
  const pair = categories[index] ?? rest;
  return dark ? pair.dark : pair.light;
}

/**
 * Class of each series: the meaning decides the colour, and a second series of the same meaning gets another dash
 * (or, for other strategies, another hue), so that colour never carries it alone.
 */
export function roleClasses(roles: readonly Role[]): string[] {
  const seen: Record<Role, number> = { this: 0, baseline: 0, other: 0, cost: 0 };
  return roles.map((role) => {
    const nth = seen[role]++;
    if (role === 'other') return `role-other-${nth % 4} dash-${Math.floor(nth / 4) % 3}`;
    if (role === 'baseline') return `role-baseline dash-${1 + (nth % 2)}`;
    return `role-${role} dash-${nth % 3}`;
  });
}
