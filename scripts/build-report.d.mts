/** Types of `build-report.mjs` for the tests. */
export function bundleClient(): string;
export function joinModules(entry: string): string;
export function bundleStyle(): string;
export function tidyStyle(text: string): string;
export function buildReport(folder?: string): { readonly client: string; readonly style: string };
