// Gradients of the weights, their norm, clipping and Adam.
#pragma once

constexpr float BETA1 = 0.9f, BETA1_REST = 0.1f, BETA2 = 0.999f, BETA2_REST = 0.001f; // 1 - 0.999f would be off by 1e-5
constexpr float LOG_BETA1 = -0.105360515657826f, LOG_BETA2 = -0.00100050033358353f;

typedef Tile<64, 64> WeightTile;
__device__ constexpr int tilesOf(int rows, int columns) { return ((rows + 63) / 64) * ((columns + 63) / 64); }
template <int L> struct TilesFrom { static constexpr int COUNT = tilesOf(Layer<L>::INPUTS, Layer<L>::UNITS) + TilesFrom<L + 1>::COUNT; };
template <> struct TilesFrom<LAYERS> { static constexpr int COUNT = tilesOf(Layer<LAYERS - 1>::UNITS, OUTPUTS); };
constexpr int WEIGHT_TILES = TilesFrom<0>::COUNT;
constexpr int MATRICES = LAYERS + 1;
// One part of the squared norm for each tile (or matrix), and one for all vectors.
constexpr int NORM_PARTS = WEIGHT_TILES + 1;

/** A matrix of weights: its input and the gradient by its result, both with a row for each row of the batch. */
struct Matrix {
  const float *input, *slope;
  int rows, columns, offset;
  bool gathered; // the input's rows are those of the data that the batch names
};
template <int L> __device__ __forceinline__ Matrix matrixOf(const Stack &s, int network) {
  const float *input = L == 0 ? s.features : layerOf<L == 0 ? 0 : L - 1>(s.activations, network);
  return Matrix{input, layerOf<L>(s.slopes, network), Layer<L>::INPUTS, Layer<L>::UNITS, Layer<L>::WEIGHT, L == 0};
}
__device__ __forceinline__ Matrix headMatrix(const Stack &s, int network) {
  const float *slope = s.outputs + (size_t)network * ROWS * OUTPUTS;
  return Matrix{layerOf<LAYERS - 1>(s.activations, network), slope, Layer<LAYERS - 1>::UNITS, OUTPUTS, HEAD_WEIGHT, false};
}
/** The matrix that `tile` belongs to; `tile` becomes its number within that matrix. */
template <int L> struct Finder {
  static __device__ __forceinline__ Matrix of(const Stack &s, int network, int &tile) {
    constexpr int own = tilesOf(Layer<L>::INPUTS, Layer<L>::UNITS);
    if (tile < own) return matrixOf<L>(s, network);
    tile -= own;
    return Finder<L + 1>::of(s, network, tile);
  }
  static __device__ __forceinline__ Matrix number(const Stack &s, int network, int which) {
    return which == L ? matrixOf<L>(s, network) : Finder<L + 1>::number(s, network, which);
  }
};
template <> struct Finder<LAYERS> {
  static __device__ __forceinline__ Matrix of(const Stack &s, int network, int &) { return headMatrix(s, network); }
  static __device__ __forceinline__ Matrix number(const Stack &s, int network, int) { return headMatrix(s, network); }
};

__device__ __forceinline__ const float *inputRow(const Matrix &x, const Batch &batch, int r) {
  return x.input + (size_t)(x.gathered ? batch.order[r] : r) * x.rows;
}

/** One 64 x 64 tile of input' * slope, into t.c. */
__device__ __forceinline__ void weightProduct(WeightTile::Shared &t, const Matrix &x, const Batch &batch, int row0, int column0) {
  WeightTile tile;
  tile.clear();
  tile.add(t, batch.rows, [&](int k0) {
    t.a.loadAlong(x.rows - row0, [&](int k) -> const float * { return k0 + k < batch.rows ? inputRow(x, batch, k0 + k) + row0 : nullptr; });
    t.b.loadAlong(x.columns - column0, [&](int k) -> const float * {
      return k0 + k < batch.rows ? x.slope + (size_t)(k0 + k) * x.columns + column0 : nullptr;
    });
  });
  tile.show(t);
}

template <int L> struct Vectors {
  static __device__ __forceinline__ float squares(const float *gradient) {
    float sum = 0;
    for (int i = threadIdx.x; i < 2 * Layer<L>::UNITS; i += THREADS) { // scale and shift lie side by side
      const float g = gradient[Layer<L>::GAMMA + i];
      sum += g * g;
    }
    return sum + Vectors<L + 1>::squares(gradient);
  }
};
template <> struct Vectors<LAYERS> {
  static __device__ __forceinline__ float squares(const float *gradient) {
    float sum = 0;
    for (int i = threadIdx.x; i < OUTPUTS; i += THREADS) sum += gradient[HEAD_BIAS + i] * gradient[HEAD_BIAS + i];
    return sum;
  }
};

/** Stores the gradients of all matrices and the parts of their squared norm. */
__device__ __forceinline__ void weightGradients(const Stack &s) {
  SHARED(WeightTile::Shared, t);
  const int network = s.active[blockIdx.z], part = blockIdx.x;
  float *gradient = parametersOf(s.gradient, network);
  float square = 0;
  if (part == WEIGHT_TILES) square = Vectors<0>::squares(gradient);
  else {
    int tile = part;
    const Matrix x = Finder<0>::of(s, network, tile);
    const Batch batch = batchOf(s, s.members[network]);
    const int across = (x.columns + 63) / 64, row0 = tile / across * 64, column0 = tile % across * 64;
    weightProduct(t, x, batch, row0, column0);
    float *to = gradient + x.offset;
    for (int at = threadIdx.x; at < 64 * 64; at += THREADS) {
      const int r = at / 64, c = at % 64;
      if (row0 + r >= x.rows || column0 + c >= x.columns) continue;
      const float g = t.c[r][c];
      to[(size_t)(row0 + r) * x.columns + column0 + c] = g;
      square += g * g;
    }
  }
  square = blockSum(t.red, square);
  if (threadIdx.x == 0) s.norms[(size_t)network * NORM_PARTS + part] = square;
}

__device__ __forceinline__ float normOf(const Stack &s, int network, int parts) {
  float square = 0;
  for (int i = 0; i < parts; i++) square += s.norms[(size_t)network * NORM_PARTS + i];
  return sqrtf(square);
}

/** Adam (Kingma and Ba 2015) with the gradient clipped by its norm; the corrections of bias are folded into rate and floor. */
struct Adam {
  float clip, decay, shrink, rate, floor;
  __device__ __forceinline__ void operator()(float g, float &p, float &first, float &second) const {
    g = g * clip + decay * p;
    first = BETA1 * first + BETA1_REST * g;
    second = BETA2 * second + BETA2_REST * g * g;
    p = p * shrink - rate * (first / (sqrtf(second) + floor));
  }
};
__device__ __forceinline__ Adam adamOf(const Stack &s, int network, int parts) {
  const Member &m = s.members[network];
  const float t = (float)(m.step + 1), root = sqrtf(-expm1f(t * LOG_BETA2));
  return Adam{fminf(1.f, m.clipNorm / (normOf(s, network, parts) + 1e-6f)),
              m.decoupled ? 0.f : m.weightDecay,
              m.decoupled ? 1 - m.learningRate * m.weightDecay : 1.f,
              m.learningRate * root / -expm1f(t * LOG_BETA1),
              1e-8f * root};
}

constexpr int ADAM_EACH = 2; // vectors of four parameters a thread
__device__ __forceinline__ void adamAll(const Stack &s) {
  const int network = s.active[blockIdx.z];
  const Adam adam = adamOf(s, network, NORM_PARTS);
  float4 *p = reinterpret_cast<float4 *>(parametersOf(s.parameters, network));
  float4 *first = reinterpret_cast<float4 *>(parametersOf(s.first, network));
  float4 *second = reinterpret_cast<float4 *>(parametersOf(s.second, network));
  const float4 *gradient = reinterpret_cast<const float4 *>(parametersOf(s.gradient, network));
#pragma unroll
  for (int e = 0; e < ADAM_EACH; e++) {
    const int i = (blockIdx.x * ADAM_EACH + e) * THREADS + threadIdx.x;
    if (i >= PARAMETERS / 4) break;
    const float4 g = gradient[i];
    float4 a = p[i], b = first[i], c = second[i];
    adam(g.x, a.x, b.x, c.x);
    adam(g.y, a.y, b.y, c.y);
    adam(g.z, a.z, b.z, c.z);
    adam(g.w, a.w, b.w, c.w);
    p[i] = a;
    first[i] = b;
    second[i] = c;
  }
}

/** Counts the step; a kernel of its own, since every other kernel reads the counter. */
__device__ __forceinline__ void advance(const Stack &s, int networks, int parts) {
  const int i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= networks) return;
  const int network = s.active[i];
  Member &m = s.members[network];
  m.norm = normOf(s, network, parts);
  if (!(m.norm <= 3e38f)) m.diverged = 1;
  m.step++;
}

// Small batches need not store the gradients of the matrices at all: |A'D|^2 = sum over pairs of rows of
// (AA') * (DD'), two products of ROWS x ROWS, gives their norm beforehand, and Adam is applied where a tile of the
// gradient is made. That saves a write and two reads of as many bytes as there are parameters.
#define GRAM_ROWS (ROWS <= 36 ? 32 : 64)
typedef Tile<GRAM_ROWS, GRAM_ROWS> GramTile;

__device__ __forceinline__ void gramNorms(const Stack &s) {
  SHARED(GramTile::Shared, t);
  const int network = s.active[blockIdx.z], part = blockIdx.x;
  float square = 0;
  if (part == MATRICES) square = Vectors<0>::squares(parametersOf(s.gradient, network));
  else {
    const Matrix x = Finder<0>::number(s, network, part);
    const Batch batch = batchOf(s, s.members[network]);
    GramTile inputs, slopes;
    inputs.clear();
    inputs.add(t, x.rows, [&](int k0) {
      const auto row = [&](int r) -> const float * { return r < batch.rows ? inputRow(x, batch, r) + k0 : nullptr; };
      t.a.loadAcross(x.rows - k0, row);
      t.b.loadAcross(x.rows - k0, row);
    });
    slopes.clear();
    slopes.add(t, x.columns, [&](int k0) {
      const auto row = [&](int r) -> const float * { return r < batch.rows ? x.slope + (size_t)r * x.columns + k0 : nullptr; };
      t.a.loadAcross(x.columns - k0, row);
      t.b.loadAcross(x.columns - k0, row);
    });
#pragma unroll
    for (int i = 0; i < GramTile::EACH; i++)
#pragma unroll
      for (int j = 0; j < 4; j++) square += inputs.sum[i][j] * slopes.sum[i][j];
  }
  square = blockSum(t.red, square);
  if (threadIdx.x == 0) s.norms[(size_t)network * NORM_PARTS + part] = square;
}

__device__ __forceinline__ void adamSome(const Adam &adam, const Stack &s, int network, int first, int count) {
  float *p = parametersOf(s.parameters, network) + first, *m1 = parametersOf(s.first, network) + first;
  float *m2 = parametersOf(s.second, network) + first;
  const float *g = parametersOf(s.gradient, network) + first;
  for (int i = threadIdx.x; i < count; i += THREADS) adam(g[i], p[i], m1[i], m2[i]);
}
template <int L> struct VectorAdam {
  static __device__ __forceinline__ void apply(const Adam &adam, const Stack &s, int network) {
    adamSome(adam, s, network, Layer<L>::GAMMA, 2 * Layer<L>::UNITS);
    VectorAdam<L + 1>::apply(adam, s, network);
  }
};
template <> struct VectorAdam<LAYERS> {
  static __device__ __forceinline__ void apply(const Adam &adam, const Stack &s, int network) {
    adamSome(adam, s, network, HEAD_BIAS, OUTPUTS);
  }
};

__device__ __forceinline__ void weightsAndAdam(const Stack &s) {
  SHARED(WeightTile::Shared, t);
  const int network = s.active[blockIdx.z];
  const Adam adam = adamOf(s, network, MATRICES + 1);
  if (blockIdx.x == WEIGHT_TILES) {
    VectorAdam<0>::apply(adam, s, network);
    return;
  }
  int tile = blockIdx.x;
  const Matrix x = Finder<0>::of(s, network, tile);
  const Batch batch = batchOf(s, s.members[network]);
  const int across = (x.columns + 63) / 64, row0 = tile / across * 64, column0 = tile % across * 64;
  weightProduct(t, x, batch, row0, column0);
  float *p = parametersOf(s.parameters, network) + x.offset, *m1 = parametersOf(s.first, network) + x.offset;
  float *m2 = parametersOf(s.second, network) + x.offset;
#pragma unroll 2
  for (int at = threadIdx.x; at < 64 * 16; at += THREADS) {
    const int r = at / 16, c = at % 16 * 4;
    if (row0 + r >= x.rows || column0 + c >= x.columns) continue;
    const size_t i = (size_t)(row0 + r) * x.columns + column0 + c;
    const float4 g = *reinterpret_cast<const float4 *>(&t.c[r][c]);
    float4 a = *reinterpret_cast<float4 *>(p + i), b = *reinterpret_cast<float4 *>(m1 + i), d = *reinterpret_cast<float4 *>(m2 + i);
    adam(g.x, a.x, b.x, d.x);
    adam(g.y, a.y, b.y, d.y);
    adam(g.z, a.z, b.z, d.z);
    adam(g.w, a.w, b.w, d.w);
    *reinterpret_cast<float4 *>(p + i) = a;
    *reinterpret_cast<float4 *>(m1 + i) = b;
    *reinterpret_cast<float4 *>(m2 + i) = d;
  }
}
