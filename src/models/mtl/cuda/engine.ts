/** Stacks on the GPU of this process: opened once, kernels compiled once for each shape of network. */
import { type Cuda, openCuda } from '../../../native/cuda.ts';
import { largestBatch, type StackMaker, type StackRequest } from '../stack.ts';
import { networksThatFit, stackMemory } from './memory.ts';
import { compileStack } from './source.ts';
import { CudaStack } from './stack.ts';

const images = new Map<string, Uint8Array>();

/**
 * @param driver the CUDA driver's library
 * @param nvrtc NVRTC's library
 */
export function cudaStacks(driver: string, nvrtc: string): StackMaker & { readonly cuda: Cuda } {
  const cuda = openCuda(driver);
  const rowsOf = ({ trainRows, batchSize }: StackRequest): number => largestBatch(trainRows, batchSize);
  return {
    cuda,
    capacity: (request) => {
      const dataRows = request.features.length / request.shape.inputs;
      return networksThatFit(stackMemory(request.shape, rowsOf(request), dataRows), cuda.freeBytes());
    },
    make: (request) => {
      const key = JSON.stringify([request.shape, rowsOf(request), cuda.architecture]);
      const image = images.get(key) ?? compileStack(nvrtc, request.shape, rowsOf(request), cuda.architecture).image;
      images.set(key, image);
      return new CudaStack(cuda, image, request);
    },
  };
}
