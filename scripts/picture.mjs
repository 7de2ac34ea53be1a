/**
 * Takes a picture of a report in headless Chromium, as for the README:
 *   node scripts/picture.mjs results/quickstart/latest/report.html docs/report.png [width height light|dark selector]
 */
import path from 'node:path';
import { startChromium } from './chromium.mjs';

const [report, target, width = '1280', height = '800', scheme = 'light', selector] = process.argv.slice(2);
if (report === undefined || target === undefined) {
  console.error('usage: node scripts/picture.mjs REPORT.html TARGET.png [width height light|dark selector]');
  process.exit(64);
}
const browser = await startChromium();
const page = await browser.newPage({
  viewport: { width: Number(width), height: Number(height) },
  colorScheme: scheme === 'dark' ? 'dark' : 'light',
});
await page.goto(`file://${path.resolve(report)}`);
await page.waitForTimeout(1000);
if (selector !== undefined) {
  await page.locator(selector).first().scrollIntoViewIfNeeded();
  await page.evaluate((css) => document.querySelector(css)?.scrollIntoView(), selector);
  await page.waitForTimeout(800);
}
await page.screenshot({ path: target });
await browser.close();
