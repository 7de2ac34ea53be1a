// A hidden layer: product, batch normalisation, ReLU and dropout in one kernel, forward and backward.
// A block owns 64 columns and all rows of the batch, so that statistics never leave it.
#pragma once

constexpr int WIDTH = 64;
// A few rows more than a tile (a batch that took one row too many) are a second turn, not a larger tile.
constexpr int TILE_ROWS = ROWS <= 36 ? 32 : ROWS <= 68 ? 64 : 128;
constexpr bool ONE_TILE = ROWS <= TILE_ROWS; // the tile then stays in shared memory between the two sweeps
typedef Tile<TILE_ROWS, WIDTH> LayerTile;
static_assert(THREADS == 2 * WIDTH, "two threads share a column");

/** Count, mean and sum of squared deviations. */
struct Moments {
  float count, mean, squares;
};
/** Of two samples together (Chan, Golub and LeVeque 1979). */
__device__ __forceinline__ Moments merged(Moments a, Moments b) {
  const float count = a.count + b.count;
  if (count == 0) return a;
  const float gap = b.mean - a.mean;
  return Moments{count, a.mean + gap * (b.count / count), a.squares + b.squares + gap * gap * (a.count * b.count / count)};
}

/** Moments of this thread's column in the tile; both threads of a column get the same. */
__device__ __forceinline__ Moments columnMoments(LayerTile::Shared &s, int rows) {
  const int column = threadIdx.x % WIDTH, half = threadIdx.x / WIDTH;
  float sum = 0;
  for (int r = half; r < rows; r += 2) sum += s.c[r][column];
  const float count = (float)((rows - half + 1) / 2), mean = count > 0 ? sum / count : 0.f;
  float squares = 0;
  for (int r = half; r < rows; r += 2) {
    const float d = s.c[r][column] - mean;
    squares += d * d;
  }
  s.red[threadIdx.x] = count;
  s.red[THREADS + threadIdx.x] = mean;
  s.red[2 * THREADS + threadIdx.x] = squares;
  __syncthreads();
  const int a = column, b = column + WIDTH;
  const Moments both = merged(Moments{s.red[a], s.red[THREADS + a], s.red[2 * THREADS + a]},
                              Moments{s.red[b], s.red[THREADS + b], s.red[2 * THREADS + b]});
  __syncthreads();
  return both;
}

/** Two sums over this thread's column, the same for both of its threads. */
struct Pair {
  float a, b;
};
__device__ __forceinline__ Pair columnSums(LayerTile::Shared &s, Pair own) {
  const int column = threadIdx.x % WIDTH;
  s.red[threadIdx.x] = own.a;
  s.red[THREADS + threadIdx.x] = own.b;
  __syncthreads();
  const Pair both{s.red[column] + s.red[column + WIDTH], s.red[THREADS + column] + s.red[THREADS + column + WIDTH]};
  __syncthreads();
  return both;
}

/** z = input * weights for the rows from `row0` of a batch and this block's columns, into s.c. */
template <int L> __device__ __forceinline__ void layerProduct(const Stack &s, LayerTile::Shared &t, int network, const Batch &batch, int row0, int rows) {
  const int column0 = blockIdx.x * WIDTH;
  const float *weights = parametersOf(s.parameters, network) + Layer<L>::WEIGHT + column0;
  const float *below = L == 0 ? nullptr : layerOf<L == 0 ? 0 : L - 1>(s.activations, network) + (size_t)row0 * Layer<L>::INPUTS;
  LayerTile tile;
  tile.clear();
  tile.add(t, Layer<L>::INPUTS, [&](int k0) {
    const int depth = Layer<L>::INPUTS - k0;
    t.a.loadAcross(depth, [&](int r) -> const float * {
      if (r >= rows) return nullptr;
      return (L == 0 ? s.features + (size_t)batch.order[row0 + r] * INPUTS : below + (size_t)r * Layer<L>::INPUTS) + k0;
    });
    t.b.loadAlong(Layer<L>::UNITS - column0, [&](int k) -> const float * {
      return k < depth ? weights + (size_t)(k0 + k) * Layer<L>::UNITS : nullptr;
    });
  });
  tile.show(t);
}

template <int L> __device__ __forceinline__ void forward(const Stack &s) {
  SHARED(LayerTile::Shared, t);
  const int network = s.active[blockIdx.z];
  const Member &m = s.members[network];
  const Batch batch = batchOf(s, m);
  const int local = threadIdx.x % WIDTH, half = threadIdx.x / WIDTH, column = blockIdx.x * WIDTH + local;
  const bool mine = column < Layer<L>::UNITS;
  float *z = layerOf<L>(s.z, network) + column;

  Moments moments{0, 0, 0};
  for (int row0 = 0; row0 < batch.rows; row0 += TILE_ROWS) {
    const int rows = batch.rows - row0 < TILE_ROWS ? batch.rows - row0 : TILE_ROWS;
    layerProduct<L>(s, t, network, batch, row0, rows);
    if (mine)
      for (int r = half; r < rows; r += 2) z[(size_t)(row0 + r) * Layer<L>::UNITS] = t.c[r][local];
    moments = merged(moments, columnMoments(t, rows));
  }
  if (!mine) return;

  const float n = (float)batch.rows, inverse = 1 / sqrtf(moments.squares / n + EPSILON);
  if (half == 0) {
    float *statistics = s.statistics + (size_t)network * 2 * COLUMNS + Layer<L>::COLUMN + column;
    statistics[0] = moments.mean;
    statistics[COLUMNS] = inverse;
    float *running = s.running + (size_t)network * RUNNING + column;
    running[Layer<L>::MEAN] += MOMENTUM * (moments.mean - running[Layer<L>::MEAN]);
    running[Layer<L>::VARIANCE] += MOMENTUM * (moments.squares / (n - 1) - running[Layer<L>::VARIANCE]);
  }
  const float *p = parametersOf(s.parameters, network);
  const float gamma = p[Layer<L>::GAMMA + column], beta = p[Layer<L>::BETA + column];
  const u32 key = maskKey(m.dropoutSeed, (u32)m.step, L), threshold = m.dropThreshold[L];
  const float keep = m.keep[L];
  float *activations = layerOf<L>(s.activations, network) + column;
  for (int r = half; r < batch.rows; r += 2) {
    const size_t at = (size_t)r * Layer<L>::UNITS;
    const float value = ((ONE_TILE ? t.c[ONE_TILE ? r : 0][local] : z[at]) - moments.mean) * inverse * gamma + beta;
    activations[at] = value > 0 && stays(key, (u32)(at + column), threshold) ? value * keep : 0.f;
  }
}

/**
 * The gradient through a product with a matrix [UNITS of D][FROM_UNITS] and through layer D below it: `from` is the
 * gradient by the product's result. No mask is stored: an activation above zero was kept and positive.
 */
template <int D, int FROM_UNITS> __device__ __forceinline__ void backward(const Stack &s, int fromWeight, const float *from) {
  SHARED(LayerTile::Shared, t);
  const int network = s.active[blockIdx.z];
  const Member &m = s.members[network];
  const Batch batch = batchOf(s, m);
  const int local = threadIdx.x % WIDTH, half = threadIdx.x / WIDTH, column0 = blockIdx.x * WIDTH, column = column0 + local;
  const bool mine = column < Layer<D>::UNITS;
  const float *p = parametersOf(s.parameters, network);
  const float *weights = p + fromWeight + (size_t)column0 * FROM_UNITS;
  const float *statistics = s.statistics + (size_t)network * 2 * COLUMNS + Layer<D>::COLUMN + column;
  const float mean = mine ? statistics[0] : 0.f, inverse = mine ? statistics[COLUMNS] : 0.f, keep = m.keep[D];
  const float *z = layerOf<D>(s.z, network) + column, *activations = layerOf<D>(s.activations, network) + column;
  float *slopes = layerOf<D>(s.slopes, network) + column;

  Pair sums{0, 0}; // gradients of the shift and of the scale
  for (int row0 = 0; row0 < batch.rows; row0 += TILE_ROWS) {
    const int rows = batch.rows - row0 < TILE_ROWS ? batch.rows - row0 : TILE_ROWS;
    LayerTile tile;
    tile.clear();
    tile.add(t, FROM_UNITS, [&](int k0) {
      const int depth = FROM_UNITS - k0;
      t.a.loadAcross(depth, [&](int r) -> const float * { return r < rows ? from + (size_t)(row0 + r) * FROM_UNITS + k0 : nullptr; });
      t.b.loadAcross(depth, [&](int c) -> const float * {
        return column0 + c < Layer<D>::UNITS ? weights + (size_t)c * FROM_UNITS + k0 : nullptr;
      });
    });
    tile.show(t);
    if (mine)
      for (int r = half; r < rows; r += 2) {
        const size_t at = (size_t)(row0 + r) * Layer<D>::UNITS;
        const float q = activations[at] > 0 ? t.c[r][local] * keep : 0.f;
        if (ONE_TILE) t.c[r][local] = q;
        else slopes[at] = q;
        sums.a += q;
        sums.b += q * ((z[at] - mean) * inverse);
      }
    __syncthreads();
  }
  sums = columnSums(t, sums);
  if (!mine) return;

  const float gamma = p[Layer<D>::GAMMA + column], n = (float)batch.rows, factor = gamma * inverse;
  if (half == 0) {
    float *gradient = parametersOf(s.gradient, network);
    gradient[Layer<D>::BETA + column] = sums.a;
    gradient[Layer<D>::GAMMA + column] = sums.b;
  }
  const float meanSlope = sums.a / n, meanProduct = sums.b / n;
  for (int r = half; r < batch.rows; r += 2) {
    const size_t at = (size_t)r * Layer<D>::UNITS;
    const float q = ONE_TILE ? t.c[ONE_TILE ? r : 0][local] : slopes[at];
    slopes[at] = factor * (q - meanSlope - (z[at] - mean) * inverse * meanProduct);
  }
}

/** As `forward` for rows that are only looked at: running statistics, no dropout. Blocks share the rows by tiles. */
template <int L> __device__ __forceinline__ void forwardFrozen(const Stack &s) {
  SHARED(LayerTile::Shared, t);
  const int network = s.active[blockIdx.z];
  const Batch batch = measuredBatch(s);
  const int row0 = blockIdx.y * TILE_ROWS, rows = batch.rows - row0 < TILE_ROWS ? batch.rows - row0 : TILE_ROWS;
  layerProduct<L>(s, t, network, batch, row0, rows);
  const int local = threadIdx.x % WIDTH, half = threadIdx.x / WIDTH, column = blockIdx.x * WIDTH + local;
  if (column >= Layer<L>::UNITS) return;
  const float *p = parametersOf(s.parameters, network), *running = s.running + (size_t)network * RUNNING + column;
  const float scale = p[Layer<L>::GAMMA + column] / sqrtf(running[Layer<L>::VARIANCE] + EPSILON);
  const float shift = p[Layer<L>::BETA + column] - running[Layer<L>::MEAN] * scale;
  float *activations = layerOf<L>(s.activations, network) + (size_t)row0 * Layer<L>::UNITS + column;
  for (int r = half; r < rows; r += 2) activations[(size_t)r * Layer<L>::UNITS] = fmaxf(0.f, t.c[r][local] * scale + shift);
}
