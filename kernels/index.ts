/** What the module of numeric kernels exports. One file, one concept. */
export { activate, activateWithDropout } from './activation';
export { adam, sumOfSquares } from './adam';
export { batchNormBackward, batchNormFrozen, batchNormStatistics } from './batchnorm';
export { gemm, reserveGemm } from './gemm';
export { countPresent, headGradients, headOutputs } from './heads';
export { allocate, gather } from './memory';
export { softmaxGradients, softmaxOutputs } from './softmax';
