/** Where Chromium is for the tests of the page. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

function installed(): string | undefined {
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/** Path of chromium; on Debian, where the user may install packages, it is installed first. */
export function chromiumPath(): string | undefined {
  const found = installed();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { timeout: 300_000 });
  }
  const now = installed();
  if (now === undefined) {
    process.stderr.write('skipped: the tests of the report page need chromium (set CHROMIUM to its path)\n');
  }
  return now;
}
