/** Types of `chromium.mjs` for the tests. */
import type { Browser } from 'playwright-core';

export function startChromium(executablePath?: string): Promise<Browser>;
