/**
 * What the module for several threads exports. Its memory is made by the caller and shared by one instance a thread, so
 * nothing here allocates or keeps state of its own: every function is told by address where its data lie.
 */
export { transform } from './fourier';
export { tsneAttract, tsneCollect, tsneConvolveColumns, tsneMove, tsneRestoreRows, tsneTransformRows } from './tsne';
export { umapMove, umapSettle } from './umap';

/** The first address that is free for data. */
export function dataStart(): usize {
  return __heap_base;
}
