/** The interactive view of curves: plotly, unpacked and run only when a reader asks for it. */
import type { LineFigure } from '../../contract/figure.ts';
import { axisTitle } from '../draw/line.ts';
import { markup } from '../draw/markup.ts';
import { fill, find } from './dom.ts';

interface Plotly {
  newPlot(element: HTMLElement, data: unknown[], layout: unknown, config: unknown): Promise<unknown>;
  purge(element: HTMLElement): void;
}

declare global {
  interface Window {
    Plotly?: Plotly;
  }
}

/** Unpacks plotly from its inert element; the page's policy names the hash of its text. */
async function loadPlotly(): Promise<Plotly> {
  if (window.Plotly !== undefined) return window.Plotly;
  const packed = find('#plotly')?.textContent ?? '';
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  if (window.Plotly === undefined) throw new Error('plotly did not start');
  return window.Plotly;
}

const dashes = ['solid', 'dash', 'dot'];

function traces(part: string, figure: LineFigure, several: boolean): unknown[] {
  const style = getComputedStyle(document.documentElement);
  const inks = { this: '--this', baseline: '--baseline', cost: '--cost', other: '--orange' };
  const others = ['--orange', '--purple', '--green', '--sky'];
  const seen: Record<string, number> = {};
  return figure.series.flatMap((series) => {
    const nth = seen[series.role] ?? 0;
    seen[series.role] = nth + 1;
    const name = series.role === 'other' ? (others[nth % 4] ?? '') : inks[series.role];
    const colour = resolved(style.getPropertyValue(name));
    const x = figure.x.scale === 'time' ? series.x.map((value) => new Date(value).toISOString()) : series.x;
    const label = several ? `${series.label}, ${part}` : series.label;
    const dash = series.role === 'baseline' ? 'dash' : dashes[series.role === 'other' ? 0 : nth % 3];
    const edge = { x, mode: 'lines', line: { width: 0 }, hoverinfo: 'skip', showlegend: false, legendgroup: label };
    const band =
      series.low === undefined || series.high === undefined
        ? []
        : [
            { ...edge, y: series.low },
            { ...edge, y: series.high, fill: 'tonexty', fillcolor: translucent(colour) },
          ];
    return [
      ...band,
      {
        x,
        y: series.y,
        name: label,
        legendgroup: label,
        mode: series.dots === true ? 'markers' : 'lines',
        line: { color: colour, width: series.role === 'this' ? 2 : 1.5, dash },
        marker: { color: colour, size: 7 },
      },
    ];
  });
}

/** The colour that a CSS value with `light-dark()` has now, as rgb. */
function resolved(value: string): string {
  const probe = document.createElement('i');
  probe.style.color = value;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function translucent(rgb: string): string {
  return rgb.replace(/^rgb\(/, 'rgba(').replace(/\)$/, ', 0.15)');
}

/** Opens one figure, with all its parts, in a dialog that closes with Escape. */
export async function openZoom(
  parts: readonly { readonly part: string; readonly figure: LineFigure }[],
): Promise<void> {
  const figure = parts[0]?.figure;
  if (figure === undefined) return;
  const dialog = document.createElement('dialog');
  dialog.className = 'zoom';
  fill(
    dialog,
    markup`<header><div><h3>${figure.title}</h3><p class="sub">${figure.subtitle}. Drag to zoom, double click for all, press a name to hide its line.</p></div><button type="button" class="button" autofocus>Close</button></header><div class="chart"></div>`,
  );
  document.body.append(dialog);
  const chart = find('.chart', dialog);
  find('button', dialog)?.addEventListener('click', () => dialog.close());
  dialog.showModal();
  dialog.addEventListener('close', () => {
    if (chart !== null) window.Plotly?.purge(chart);
    dialog.remove();
  });
  if (chart === null) return;
  try {
    const plotly = await loadPlotly();
    const ink = resolved('var(--ink-2)');
    const axis = (of: LineFigure['x']): object => ({
      title: { text: axisTitle(of) },
      type: of.scale === 'time' ? 'date' : of.scale,
      gridcolor: resolved('var(--grid)'),
      zerolinecolor: resolved('var(--rule-strong)'),
      automargin: true,
    });
    const layout = {
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 13 },
      margin: { l: 60, r: 20, t: 30, b: 50 },
      xaxis: axis(figure.x),
      yaxis: axis(figure.y),
      legend: { orientation: 'h', y: 1.02, yanchor: 'bottom' },
      hovermode: 'x unified',
      hoverlabel: { bgcolor: resolved('var(--surface)'), font: { color: resolved('var(--ink)') } },
    };
    const data = parts.flatMap(({ part, figure: shown }) => traces(part, shown, parts.length > 1));
    await plotly.newPlot(chart, data, layout, { displayModeBar: false, responsive: true });
    chart.dataset['ready'] = 'true';
  } catch (error) {
    dialog.close();
    throw error;
  }
}
