/** Work on buckets for the tests of `runBuckets`: sums what its database counts, and fails where it is told to. */
export default async function open({ factor, failAt, crashAt }, { duck }) {
  const [{ limit }] = await duck.rows("SELECT current_setting('memory_limit') AS limit");
  return async (bucket, index) => {
    if (index === failAt) throw new Error(`bucket ${index} fails`);
    if (index === crashAt) process.exit(3);
    const [{ sum }] = await duck.rows(`SELECT sum(i)::DOUBLE AS sum FROM range(${bucket.from}, ${bucket.to}) t(i)`);
    return { sum: sum * factor, limit };
  };
}
