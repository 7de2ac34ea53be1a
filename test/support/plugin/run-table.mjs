import { parquetWriteFile } from 'hyparquet-writer';

/** As a stage of somebody's own might write it: NaN and infinity as they are. */
export default async function run(context) {
  const id = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const x = id.map((_, i) => (i === 7 ? Number(context.params.seventh) : i));
  const roles = [
    { name: 'id', role: 'id' },
    { name: 'x', role: 'feature' },
  ];
  parquetWriteFile({
    filename: context.outputPath('table'),
    columnData: [
      { name: 'id', data: id, type: 'STRING' },
      { name: 'x', data: x, type: 'DOUBLE' },
    ],
    kvMetadata: [{ key: 'fathom', value: JSON.stringify(roles) }],
  });
}
