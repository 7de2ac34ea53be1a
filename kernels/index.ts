/** What the module of numeric kernels exports. One file, one concept. */
export { activate, activateWithDropout } from './activation';
export { activityResult, loadActivity, makeActivity, moveActivity, reserveActivity } from './activity';
export { adam, sumOfSquares } from './adam';
export { batchNormBackward, batchNormFrozen, batchNormStatistics } from './batchnorm';
export {
  firstNotBelow, greatestOf, leastOf, pairsRise, spreadFloats, spreadInts, toFloats, toInts,
} from './columns';
export {
  counterpartiesResult, loadCounterparties, makeCounterparties, measureCounterparties, reserveCounterparties,
} from './counterparties';
export { addProducts, centreColumns, projectRows } from './covariance';
export { unpackDifferences, unpackNumbers } from './decode';
export { copyTexts, listOccurring, packDifferences, packNumbers } from './encode';
export { beginUnions, countLeaf, labelAround, makeRegion, rootOf, uniteAcross, uniteWithin } from './density';
export { makeSums, sumFills } from './fill-sums';
export { gemm, reserveGemm } from './gemm';
export { makeKeys } from './key-set';
export { countPresent, headGradients, headOutputs } from './heads';
export { addNumbers, makeNumbers } from './number-table';
export { emptyTextList, makeTextList } from './text-list';
export { forgetTexts, makeTexts } from './text-table';
export { isolationLengths } from './isolation';
export { kMeansDue, kMeansSettle, kMeansUndecided } from './kmeans-assign';
export { kMeansNearest, kMeansSelect } from './kmeans-nearest';
export { kMeansLeft } from './kmeans-starts';
export { cutLeaves, layLeaves, makeLeaves } from './leaves';
export { allocate, gather } from './memory';
export {
  bytesOfNames, bytesOfTexts, copyNames, copyTextsAt, findTexts, makeNames, nameCount, numberNames,
} from './names';
export { activeRows, beginLeaf, finishRow, listActive, makeSearch, takeScores, visitedLeaf } from './neighbours';
export { countLines, hasOddLines, skipLines, skippedLines } from './lines';
export {
  addFlags, beginTrades, countOnes, countPlaces, layRows, listPlaces, makeLaid, makeTrades, mapPlaces, markFaulty, numberTrades, routeTrades, spread,
} from './facts';
export { rowShapeBytes, unpackRows } from './fact-rows';
export { makeFills, readFills } from './plain-fills';
export { forgetRows, listDoubles, makeRowColumns, takeRows, toWhole } from './row-columns';
export { packRows, turnRows } from './rows';
export { loadSettling, makeSettling, reserveSettling, settleFills } from './settlement';
export { softmaxGradients, softmaxOutputs } from './softmax';
export { cellCount, closingsOf, earnedOf, investedOf, listCells, makePricedRows, makePrices, priceFills, takeCells } from './token-prices';
export { makeWalletFills, reserveWalletFills, sourceOf, takeWallet } from './wallet-fills';
