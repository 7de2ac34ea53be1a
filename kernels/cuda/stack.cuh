// What all kernels are given: the networks of a stack, their data and the room they work in.
// A network is found by blockIdx.z: `active` says which one that is, so that networks drop out without moving.
#pragma once

typedef unsigned int u32;

constexpr int THREADS = 128;
constexpr float EPSILON = 1e-5f, MOMENTUM = 0.1f;

/** What one network is trained with, and where it stands. The host writes and reads it as 32-bit words. */
struct Member {
  u32 dropoutSeed;
  int order;      // which of the orders of rows it follows
  int epochStart; // steps done when this epoch began
  int step;       // steps done
  float learningRate, weightDecay, clipNorm;
  int decoupled;  // 1: decay the weights themselves (AdamW)
  float norm;     // of the last gradient, before clipping
  int diverged;   // 1 once a norm was not finite
  u32 dropThreshold[LAYERS]; // a unit is dropped if its 32 random bits are below this
  float keep[LAYERS];        // factor of the units that stay
  float headWeights[HEADS];
};

/** The one argument of every kernel. `network` below is the number of a network in the stack. */
struct Stack {
  float *parameters, *gradient, *first, *second; // [network][PARAMETERS]
  float *running;                                // [network][RUNNING]
  Member *members;                               // [network]
  const int *active;                             // [blockIdx.z] -> network
  const float *features, *targets;               // [row][INPUTS], [row][OUTPUTS]
  const u32 *orders;                             // [order][orderLength]
  const u32 *measured;                           // rows that a frozen pass looks at
  float *z, *activations, *slopes;               // [network][layer][ROWS][units]
  float *statistics;                             // [network][2][COLUMNS]: mean, 1 / standard deviation
  float *outputs;                                // [network][ROWS][OUTPUTS]: pre-activations, then their gradient
  float *logSums;                                // [network][ROWS][HEADS]: log of the sum of a softmax's exponentials
  float *norms;                                  // [network][NORM_PARTS]: parts of the squared norm of the gradient
  double *sums;                                  // [network][2][OUTPUTS]: losses and present targets, added up
  unsigned long long orderLength, batchRows, measuredRows;
};

/** The rows of one step. */
struct Batch {
  const u32 *order;
  int rows;
};

// The last batch takes what is left: fewer rows, or one more where a single row would be left over.
__device__ __forceinline__ Batch batchOf(const Stack &s, const Member &m) {
  const int at = m.step - m.epochStart, batch = (int)s.batchRows, length = (int)s.orderLength;
  int count = (length + batch - 1) / batch;
  if (count > 1 && length % batch == 1) count--;
  const int first = at * batch;
  return Batch{s.orders + (size_t)m.order * s.orderLength + first, at == count - 1 ? length - first : batch};
}

__device__ __forceinline__ Batch measuredBatch(const Stack &s) { return Batch{s.measured, (int)s.measuredRows}; }

/** Where a layer's matrix [ROWS][units] of one network begins. */
template <int L> __device__ __forceinline__ float *layerOf(float *base, int network) {
  return base + (size_t)network * ROWS * COLUMNS + ROWS * Layer<L>::COLUMN;
}
__device__ __forceinline__ float *parametersOf(float *base, int network) { return base + (size_t)network * PARAMETERS; }
