import { readFile } from 'node:fs/promises';
import type { StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { encodeRows } from '../../models/mtl/encode.ts';
import { decodeModel } from '../../models/mtl/model.ts';
import { applyScaler } from '../../models/mtl/scaler.ts';
import { columnNamed, type Frame, type FrameColumn, readFrame, writeFrame } from '../../tables/frame.ts';
import type { EncodeParams } from '../features-encode.ts';

const run: StageRun<EncodeParams> = async (context) => {
  const model = context.input('model');
  const { network, features } = decodeModel(await readFile(model.path), `${model.stage}: its model`);
  const all = await readFrame(context.input('features').path, context.input('features').shared);
  const frame = context.params.set === 'all' ? all : selectRows(all, await testRows(context));
  const { values } = applyScaler(frame, features);
  const encoded = encodeRows(network, values).map((unit, i): FrameColumn => {
    // In a frame NaN would say that the value is missing, when it is the network that ran away.
    const row = unit.findIndex((value) => !Number.isFinite(value));
    if (row !== -1)
      throw new FathomError('data', `the network gives row ${row} the activation ${unit[row]} in its unit ${i}`, {
        hint: 'its features lie far beyond those of the training rows: clip them in the frame',
      });
    return { name: `encoding${i}`, role: 'feature', type: 'number', values: unit };
  });
  const shown = frame.columns.map((column) =>
    column.role === 'feature' ? { ...column, role: 'info' as const } : column,
  );
  await writeFrame(context.outputPath('frame'), { rows: frame.rows, columns: [...shown, ...encoded] });
};

export default run;

async function testRows(context: Parameters<typeof run>[0]): Promise<Uint32Array> {
  const splits = context.optionalInput('splits');
  if (splits === undefined)
    throw new FathomError('experiment', 'set: test needs the split that the network was trained by', {
      hint: 'connect `splits`, or say `set: all`',
    });
  const column = columnNamed(await readFrame(splits.path, splits.shared), `fold${context.coordinates.fold ?? 0}`);
  if (column.type !== 'category') throw new FathomError('data', `column "${column.name}" holds numbers, not parts`);
  const test = column.labels.indexOf('test');
  return Uint32Array.from(column.codes.keys()).filter((row) => column.codes[row] === test);
}

function selectRows(frame: Frame, rows: Uint32Array): Frame {
  const columns = frame.columns.map((column): FrameColumn => {
    if (column.type === 'number')
      return { ...column, values: Float64Array.from(rows, (row) => column.values[row] as number) };
    return { ...column, codes: Int32Array.from(rows, (row) => column.codes[row] as number) };
  });
  return { rows: rows.length, columns };
}
