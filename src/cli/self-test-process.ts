/** Entry of a child process of `fathom doctor`: runs one known-answer test and prints its result as JSON. */
import { type SelfTestName, selfTests } from './self-tests.ts';

const name = process.argv[2] as SelfTestName;
try {
  const detail = await selfTests[name]();
  console.log(JSON.stringify({ passed: true, detail }));
} catch (error) {
  console.log(JSON.stringify({ passed: false, detail: error instanceof Error ? error.message : String(error) }));
}
// Libraries may hold threads that would keep the process alive.
process.exit(0);
