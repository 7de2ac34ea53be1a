// The heads: outputs, losses and their gradient, one block a network. What a column is, the tables of the shape say.
#pragma once

enum Kind { REGRESSION, RELU, TANH, SIGMOID, BINARY, MULTICLASS, PADDING };

constexpr int SIDE = 16;               // columns looked at side by side
constexpr int TURNS = THREADS / SIDE;  // threads that share the rows of a column
typedef Tile<TILE_ROWS, SIDE> HeadTile;

struct HeadShared {
  HeadTile::Shared tile;
  float counts[OUTPUTS];
  float weights[OUTPUTS]; // the head's weight over the number of targets its mean runs over
};

/** Pre-activations of all rows, bias included, into s.outputs. */
__device__ __forceinline__ void headOutputs(const Stack &s, HeadShared &t, int network, int rows) {
  const float *p = parametersOf(s.parameters, network), *below = layerOf<LAYERS - 1>(s.activations, network);
  constexpr int UNITS = Layer<LAYERS - 1>::UNITS;
  float *outputs = s.outputs + (size_t)network * ROWS * OUTPUTS;
  for (int row0 = 0; row0 < rows; row0 += TILE_ROWS)
    for (int column0 = 0; column0 < OUTPUTS; column0 += SIDE) {
      HeadTile tile;
      tile.clear();
      tile.add(t.tile, UNITS, [&](int k0) {
        t.tile.a.loadAcross(UNITS - k0, [&](int r) -> const float * {
          return row0 + r < rows ? below + (size_t)(row0 + r) * UNITS + k0 : nullptr;
        });
        t.tile.b.loadAlong(OUTPUTS - column0, [&](int k) -> const float * {
          return k0 + k < UNITS ? p + HEAD_WEIGHT + (size_t)(k0 + k) * OUTPUTS + column0 : nullptr;
        });
      });
      tile.show(t.tile);
      for (int at = threadIdx.x; at < TILE_ROWS * SIDE; at += THREADS) {
        const int r = at / SIDE, c = at % SIDE;
        if (row0 + r < rows && column0 + c < OUTPUTS)
          outputs[(size_t)(row0 + r) * OUTPUTS + column0 + c] = t.tile.c[r][c] + p[HEAD_BIAS + column0 + c];
      }
      __syncthreads();
    }
}

/** Sums of two values over the threads that share a column, by its first thread. */
__device__ __forceinline__ Pair sharedColumn(float *red, float a, float b) {
  red[threadIdx.x] = a;
  red[THREADS + threadIdx.x] = b;
  __syncthreads();
  Pair total{0, 0};
  if (threadIdx.x < SIDE)
    for (int i = 0; i < TURNS; i++) {
      total.a += red[i * SIDE + threadIdx.x];
      total.b += red[THREADS + i * SIDE + threadIdx.x];
    }
  __syncthreads();
  return total;
}

__device__ __forceinline__ float sigmoid(float z) { return 1 / (1 + expf(-z)); }

/** Loss of one output and its gradient by the pre-activation, both without weight. */
__device__ __forceinline__ Pair lossOf(int kind, float z, float target, float logSum) {
  switch (kind) {
    case MULTICLASS: return Pair{target == 1 ? logSum - z : 0.f, expf(z - logSum) - target};
    case BINARY: // -t log s - (1 - t) log(1 - s) = max(z, 0) - t z + log(1 + e^-|z|), which does not overflow
      return Pair{fmaxf(z, 0.f) - target * z + log1pf(expf(-fabsf(z))), sigmoid(z) - target};
    default: {
      float y = z, slope = 1;
      if (kind == TANH) { y = tanhf(z); slope = 1 - y * y; }
      if (kind == SIGMOID) { y = sigmoid(z); slope = y * (1 - y); }
      if (kind == RELU) { y = fmaxf(z, 0.f); slope = z > 0 ? 1.f : 0.f; }
      const float error = y - target;
      return Pair{error * error, 2 * error * slope};
    }
  }
}

/** Losses of a batch into s.sums; the gradient replaces the pre-activations, that of the bias goes to s.gradient. */
__device__ __forceinline__ void headLosses(const Stack &s, HeadShared &t, int network, const Batch &batch) {
  const Member &m = s.members[network];
  float *outputs = s.outputs + (size_t)network * ROWS * OUTPUTS, *logSums = s.logSums + (size_t)network * ROWS * HEADS;
  const int side = threadIdx.x % SIDE, turn = threadIdx.x / SIDE;

  for (int head = 0; head < HEADS; head++) {
    if (OUTPUT_KIND[HEAD_FIRST[head]] != MULTICLASS) continue;
    for (int r = threadIdx.x; r < batch.rows; r += THREADS) {
      const float *row = outputs + (size_t)r * OUTPUTS + HEAD_FIRST[head];
      float largest = row[0], sum = 0;
      for (int c = 1; c < HEAD_COUNT[head]; c++) largest = fmaxf(largest, row[c]);
      for (int c = 0; c < HEAD_COUNT[head]; c++) sum += expf(row[c] - largest);
      logSums[(size_t)r * HEADS + head] = largest + logf(sum);
    }
  }
  __syncthreads();

  for (int column0 = 0; column0 < OUTPUTS; column0 += SIDE) {
    const int column = column0 + side;
    float count = 0;
    if (column < OUTPUTS)
      for (int r = turn; r < batch.rows; r += TURNS) {
        const float target = s.targets[(size_t)batch.order[r] * OUTPUTS + column];
        count += target == target ? 1.f : 0.f;
      }
    const Pair total = sharedColumn(t.tile.red, count, 0);
    if (turn == 0 && column < OUTPUTS) t.counts[column] = total.a;
  }
  __syncthreads();
  for (int column = threadIdx.x; column < OUTPUTS; column += THREADS) {
    float weight = 0;
    if (OUTPUT_KIND[column] != PADDING) {
      const int head = OUTPUT_HEAD[column];
      float present = 0;
      for (int c = 0; c < HEAD_COUNT[head]; c++) present += t.counts[HEAD_FIRST[head] + c];
      if (OUTPUT_KIND[column] == MULTICLASS) present /= HEAD_COUNT[head];
      if (present > 0) weight = m.headWeights[head] / present;
    }
    t.weights[column] = weight;
  }
  __syncthreads();

  double *sums = s.sums + (size_t)network * 2 * OUTPUTS;
  float *biasGradient = parametersOf(s.gradient, network) + HEAD_BIAS;
  for (int column0 = 0; column0 < OUTPUTS; column0 += SIDE) {
    const int column = column0 + side, kind = column < OUTPUTS ? OUTPUT_KIND[column] : PADDING;
    float loss = 0, bias = 0;
    if (column < OUTPUTS)
      for (int r = turn; r < batch.rows; r += TURNS) {
        const float target = s.targets[(size_t)batch.order[r] * OUTPUTS + column];
        float slope = 0;
        if (kind != PADDING && target == target) {
          const float logSum = kind == MULTICLASS ? logSums[(size_t)r * HEADS + OUTPUT_HEAD[column]] : 0.f;
          const Pair one = lossOf(kind, outputs[(size_t)r * OUTPUTS + column], target, logSum);
          loss += one.a;
          slope = one.b * t.weights[column];
        }
        outputs[(size_t)r * OUTPUTS + column] = slope;
        bias += slope;
      }
    const Pair total = sharedColumn(t.tile.red, loss, bias);
    if (turn == 0 && column < OUTPUTS) {
      sums[column] += total.a;
      sums[OUTPUTS + column] += t.counts[column];
      biasGradient[column] = total.b;
    }
  }
}
