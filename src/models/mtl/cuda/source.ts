/** The kernels of kernels/cuda, compiled for a shape of network and an architecture. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Compiled, compileCuda } from '../../../native/nvrtc.ts';
import { compiledRoot } from '../../../paths.ts';
import type { NetworkShape } from '../shape.ts';
import { shapeSource } from './shape-source.ts';

/** CUDA C with all its parts but `shape.cuh`. */
export function kernelSource(): string {
  return readFileSync(path.join(compiledRoot, 'kernels', 'mtl.cu'), 'utf8');
}

/**
 * @param nvrtc NVRTC's library
 * @param rows rows of the largest batch
 * @param architecture as `sm_90`
 */
export function compileStack(nvrtc: string, shape: NetworkShape, rows: number, architecture: string): Compiled {
  return compileCuda(nvrtc, kernelSource(), { 'shape.cuh': shapeSource(shape, rows) }, architecture);
}
