export default async function run(context) {
  await context.writeJson('splits', { folds: context.params.folds });
}
