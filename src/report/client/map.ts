/** The maps of the page; each is made when a reader comes near. */
import { dataOf, findAll } from './dom.ts';
import { MapView } from './map-view.ts';
import type { FigureData } from './plots.ts';

const maps: MapView[] = [];

export function startMaps(): void {
  for (const element of findAll('.figure[data-kind="map"]')) {
    const start = (): void => {
      near.disconnect();
      open(element);
    };
    const near = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) start();
      },
      { rootMargin: '600px' },
    );
    near.observe(element);
    // A reader with a keyboard may be there before it has come into view.
    element.addEventListener('focusin', start, { once: true });
    waiting.add(start);
  }
}
const waiting = new Set<() => void>();
const opened = new WeakSet<HTMLElement>();

/** Paints all maps anew: after a change of theme, and before printing. */
export function paintMaps(everything = false): void {
  if (everything) for (const start of waiting) start();
  for (const map of maps) map.repaint();
}

function open(element: HTMLElement): void {
  if (opened.has(element)) return;
  opened.add(element);
  const figure = dataOf<FigureData>(element.id)?.parts[0]?.figure;
  if (figure?.kind === 'map') maps.push(new MapView(element, figure));
}
