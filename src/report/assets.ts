import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FathomError } from '../errors.ts';
import type { ReportAssets } from './render.ts';

/**
 * Reads what the page carries from the build (`scripts/build-report.mjs` writes it).
 * @param folder holds `client.js` and `style.css`; beside this module in the compiled program
 * @param methods path of docs/methods.md, if captions should be explained at the end of the page
 */
export async function readAssets(
  folder: string = import.meta.dirname,
  options: { readonly plotly?: boolean; readonly methods?: string } = {},
): Promise<ReportAssets> {
  const read = (name: string): Promise<string> =>
    readFile(join(folder, name), 'utf8').catch((cause: unknown) => {
      throw new FathomError('io', `the report's ${name} is missing from ${folder}`, {
        hint: 'run: node scripts/build-report.mjs',
        cause,
      });
    });
  const [client, style] = await Promise.all([read('client.js'), read('style.css')]);
  const plotly = options.plotly === false ? undefined : await plotlyText();
  const methods =
    options.methods === undefined ? undefined : await readFile(options.methods, 'utf8').catch(() => undefined);
  return {
    client,
    style,
    ...(plotly === undefined ? {} : { plotly }),
    ...(methods === undefined ? {} : { methods }),
  };
}

/** Plotly's text, never imported here: it does not run outside a browser. Absent if it is not installed. */
async function plotlyText(): Promise<string | undefined> {
  try {
    const require = createRequire(import.meta.url);
    return await readFile(require.resolve('plotly.js-cartesian-dist-min'), 'utf8');
  } catch {
    return undefined;
  }
}
