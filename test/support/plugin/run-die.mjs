export default async function run(context) {
  const { how } = context.params;
  if (how === 'abort') process.abort();
  if (how === 'SIGSEGV') {
    process.kill(process.pid, 'SIGSEGV');
    await new Promise(() => undefined);
  }
  if (how === 'exit') process.exit(7);
  if (how === 'throw') throw new TypeError('no such thing');
  if (how === 'forget') return;
  await context.writeMetrics('metrics', { scalars: {} });
}
