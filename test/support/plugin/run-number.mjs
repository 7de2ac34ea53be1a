import { writeFile } from 'node:fs/promises';

export default async function run(context) {
  const rng = context.rng('number');
  await writeFile(
    context.outputPath('bytes'),
    Uint32Array.from({ length: 256 }, () => rng.uint32()),
  );
  await context.writeMetrics('metrics', { scalars: { value: context.params.value, draw: rng.uniform() } });
}
