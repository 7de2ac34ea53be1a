/** What the module of numeric kernels exports. One file, one concept. */
export { activate, activateWithDropout } from './activation';
export { adam, sumOfSquares } from './adam';
export { batchNormBackward, batchNormFrozen, batchNormStatistics } from './batchnorm';
export { addProducts, centreColumns, projectRows } from './covariance';
export { beginUnions, countLeaf, labelAround, makeRegion, rootOf, uniteAcross, uniteWithin } from './density';
export { gemm, reserveGemm } from './gemm';
export { countPresent, headGradients, headOutputs } from './heads';
export { isolationLengths } from './isolation';
export { kMeansDue, kMeansSettle, kMeansUndecided } from './kmeans-assign';
export { kMeansNearest, kMeansSelect } from './kmeans-nearest';
export { kMeansLeft } from './kmeans-starts';
export { cutLeaves, layLeaves, makeLeaves } from './leaves';
export { allocate, gather } from './memory';
export { activeRows, beginLeaf, finishRow, listActive, makeSearch, takeScores, visitedLeaf } from './neighbours';
export { plainRun } from './plain-lines';
export { packRows, turnRows } from './rows';
export { softmaxGradients, softmaxOutputs } from './softmax';
