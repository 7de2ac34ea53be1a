import { writeFile } from 'node:fs/promises';

export default async function run(context) {
  const { x, steps, stepMs, failAt } = context.params;
  if (failAt === x) throw new Error(`x = ${x} cannot be`);
  const saved = await context.checkpoint.load();
  let { step, sum } = saved === undefined ? { step: 0, sum: 0 } : JSON.parse(Buffer.from(saved).toString());
  for (; step < steps; step++) {
    if (context.cancelled()) context.throwIfCancelled();
    sum += context.rng(`step ${step}`).uniform();
    await context.checkpoint.save(Buffer.from(JSON.stringify({ step: step + 1, sum })));
    if (stepMs > 0) await new Promise((resolve) => setTimeout(resolve, stepMs));
    context.progress(step + 1, steps, 'steps');
  }
  await writeFile(context.outputPath('model'), JSON.stringify({ sum, x }));
  const noise = 0.01 * context.rng('noise').uniform();
  await context.writeMetrics('metrics', {
    scalars: { 'validation.score': -((x - 3) ** 2) + noise, fold: context.coordinates.fold ?? null },
  });
}
