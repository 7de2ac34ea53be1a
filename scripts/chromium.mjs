/** Headless Chromium that asks nothing of any network; CHROMIUM names another than Debian's. */
import { chromium } from 'playwright-core';

/** @param {string} [executablePath] */
export function startChromium(executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium') {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
