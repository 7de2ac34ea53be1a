/** The few things that every part of the page's script does with the document. */
import type { Markup } from '../draw/markup.ts';

export function find<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T | null {
  return within.querySelector<T>(selector);
}

export function findAll<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T[] {
  return [...within.querySelectorAll<T>(selector)];
}

/** Puts markup, whose values are escaped, into an element. */
export function fill(element: Element, content: Markup): void {
  element.innerHTML = content.text;
}

/** Data that the page carries for an element; parsed once, when first asked for. */
export function dataOf<T>(id: string): T | null {
  const known = parsed.get(id);
  if (known !== undefined) return known as T;
  const script = find(`script[data-for="${CSS.escape(id)}"]`);
  if (script === null) return null;
  const value = JSON.parse(script.textContent ?? 'null') as T;
  parsed.set(id, value);
  return value;
}
const parsed = new Map<string, unknown>();

/** Is the page dark now, by choice or by the system's preference? */
export function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'dark' || chosen === 'light') return chosen === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

let toastTimer = 0;

/** Says a thing at the foot of the page for two seconds; screen readers hear it too. */
export function toast(message: string): void {
  const element = find('#toast');
  if (element === null) return;
  element.textContent = message;
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => {
    element.textContent = '';
  }, 2000);
}

/** Copies a text. Pages opened from disk may have no clipboard interface: then the old way. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.style.cssText = 'position:fixed;opacity:0';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast(`${what} copied`);
}

/** Shows the tip near a place of the window, inside its edges. */
export function showTip(content: Markup, x: number, y: number): void {
  const tip = find('#tip');
  if (tip === null) return;
  fill(tip, content);
  tip.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = tip;
  let left = x + 14;
  let top = y - height - 10;
  if (left + width > innerWidth - 8) left = x - width - 14;
  if (top < 8) top = y + 16;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${top}px`;
}

export function hideTip(): void {
  const tip = find('#tip');
  if (tip !== null) tip.hidden = true;
}

/** A function that runs once in the next frame, however often it is asked. */
export function oncePerFrame(run: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
}
