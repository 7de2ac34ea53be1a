// Trains many networks of one shape side by side (kernels of `models/mtl/cuda`). The sizes come first, as constants:
// `shape.cuh` is written for each shape of network. Compiled by NVRTC; with a shim also by g++, for tests without a GPU.
#ifndef HOST_SHIM
typedef decltype(sizeof(0)) size_t;
#define SHARED(T, name) __shared__ T name
#endif

#include "shape.cuh"
#include "stack.cuh"
#include "random.cuh"
#include "product.cuh"
#include "layer.cuh"
#include "heads.cuh"
#include "update.cuh"

#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS)

#define LAYER_KERNELS(L)                            \
  KERNEL forward##L(Stack s) { forward<L>(s); }     \
  KERNEL frozen##L(Stack s) { forwardFrozen<L>(s); }
FOR_EACH_LAYER(LAYER_KERNELS)

#define BACKWARD_KERNEL(L, ABOVE)                                                                      \
  KERNEL backward##L(Stack s) {                                                                        \
    backward<L, Layer<ABOVE>::UNITS>(s, Layer<ABOVE>::WEIGHT, layerOf<ABOVE>(s.slopes, s.active[blockIdx.z])); \
  }
FOR_EACH_LAYER_BELOW(BACKWARD_KERNEL)
KERNEL backwardHeads(Stack s) {
  backward<LAYERS - 1, OUTPUTS>(s, HEAD_WEIGHT, s.outputs + (size_t)s.active[blockIdx.z] * ROWS * OUTPUTS);
}

KERNEL heads(Stack s) {
  SHARED(HeadShared, t);
  const int network = s.active[blockIdx.z];
  const Batch batch = batchOf(s, s.members[network]);
  headOutputs(s, t, network, batch.rows);
  headLosses(s, t, network, batch);
}
KERNEL frozenOutputs(Stack s) {
  SHARED(HeadShared, t);
  headOutputs(s, t, s.active[blockIdx.z], (int)s.measuredRows);
}
KERNEL frozenLosses(Stack s) {
  SHARED(HeadShared, t);
  const int network = s.active[blockIdx.z];
  headLosses(s, t, network, measuredBatch(s));
}

KERNEL weights(Stack s) { weightGradients(s); }
KERNEL adam(Stack s) { adamAll(s); }
KERNEL count(Stack s, int networks, int parts) { advance(s, networks, parts); }
#if ROWS <= 32 || (ROWS > 36 && ROWS <= 64)
KERNEL gram(Stack s) { gramNorms(s); }
KERNEL weightsAdam(Stack s) { weightsAndAdam(s); }
#endif
