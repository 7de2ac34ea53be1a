/** Numbers as sentences write them. */

/** Three significant digits, thousands separated; a dash for unknown. */
export function written(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return minus(Math.round(value).toLocaleString('en-US'));
  if (size === 0) return '0';
  if (size < 0.001) return minus(value.toFixed(size < 0.00005 ? 7 : 5));
  return minus(value.toPrecision(3));
}

/** With its sign, for changes. */
export function signed(value: number | null | undefined): string {
  return typeof value === 'number' && value > 0 ? `+${written(value)}` : written(value);
}

/** "0.602 to 0.660". */
export function interval(low: number | null | undefined, high: number | null | undefined): string {
  return `${written(low)} to ${written(high)}`;
}

/** A whole number with its noun: "1,020 wallets", "1 wallet". */
export function counted(count: number, plural: string): string {
  const [noun = '', ...rest] = plural.split(' of ');
  const one = /(ch|sh|x)es$/.test(noun) ? noun.slice(0, -2) : noun.endsWith('s') ? noun.slice(0, -1) : noun;
  return `${count.toLocaleString('en-US')} ${[count === 1 ? one : noun, ...rest].join(' of ')}`;
}

function minus(text: string): string {
  return text.replace('-', '−');
}

/** Two significant digits: "63 %"; a dash for unknown. */
export function percent(value: number | null): string {
  return value === null ? '–' : `${(100 * value).toPrecision(value >= 0.9995 ? 3 : 2)} %`;
}
