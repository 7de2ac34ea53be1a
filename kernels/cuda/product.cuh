// Matrix products by tiles: one block makes a tile of HEIGHT x WIDTH, slice by slice of DEPTH, in shared memory.
#pragma once

constexpr int DEPTH = 32;
// Rows of a shared tile are padded: transposing four at a time then touches every bank once.
constexpr int PAD = 4;

/** One operand of a product in shared memory: [DEPTH][SIZE]. `rowAt(i)` is where its i-th row begins, or null. */
template <int SIZE> struct Operand {
  float values[DEPTH][SIZE + PAD];

  /** Rows run along the tile: value (k, i) is rowAt(k)[i], for i below `size`. */
  template <class RowAt> __device__ __forceinline__ void loadAlong(int size, RowAt rowAt) {
#pragma unroll
    for (int at = threadIdx.x; at < DEPTH * SIZE / 4; at += THREADS) {
      const int k = at / (SIZE / 4), i = at % (SIZE / 4) * 4;
      const float *row = i < size ? rowAt(k) : nullptr;
      *reinterpret_cast<float4 *>(&values[k][i]) = row ? __ldg(reinterpret_cast<const float4 *>(row + i)) : make_float4(0, 0, 0, 0);
    }
  }

  /** Rows run along the depth: value (k, i) is rowAt(i)[k], for k below `depth`. Two threads share a sector of 32 bytes. */
  template <class RowAt> __device__ __forceinline__ void loadAcross(int depth, RowAt rowAt) {
#pragma unroll
    for (int at = threadIdx.x; at < DEPTH * SIZE / 4; at += THREADS) {
      const int k = ((at & 1) | (at / (2 * SIZE)) << 1) * 4, i = (at >> 1) % SIZE;
      const float *row = k < depth ? rowAt(i) : nullptr;
      const float4 v = row ? __ldg(reinterpret_cast<const float4 *>(row + k)) : make_float4(0, 0, 0, 0);
      values[k][i] = v.x;
      values[k + 1][i] = v.y;
      values[k + 2][i] = v.z;
      values[k + 3][i] = v.w;
    }
  }
};

template <int HEIGHT, int WIDTH> struct Tile {
  static constexpr int GROUPS = WIDTH / 4;                // threads side by side, four columns each
  static constexpr int EACH = HEIGHT * GROUPS / THREADS;  // rows of a thread
  static_assert(EACH >= 1 && THREADS % GROUPS == 0, "too few rows for the block");

  struct alignas(16) Shared {
    union {
      struct {
        Operand<HEIGHT> a;
        Operand<WIDTH> b;
      };
      float c[HEIGHT][WIDTH + PAD];
    };
    float red[3 * THREADS];
  };

  float sum[EACH][4];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int i = 0; i < EACH; i++)
#pragma unroll
      for (int j = 0; j < 4; j++) sum[i][j] = 0;
  }

  __device__ __forceinline__ void addSlice(const Shared &s) {
    const int row = threadIdx.x / GROUPS * EACH, column = threadIdx.x % GROUPS * 4;
#pragma unroll 8
    for (int k = 0; k < DEPTH; k++) {
      const float4 b = *reinterpret_cast<const float4 *>(&s.b.values[k][column]);
#pragma unroll
      for (int i = 0; i < EACH; i++) {
        const float a = s.a.values[k][row + i];
        sum[i][0] += a * b.x;
        sum[i][1] += a * b.y;
        sum[i][2] += a * b.z;
        sum[i][3] += a * b.w;
      }
    }
  }

  /** Adds the product over `depth`; `load(k0)` brings the slice from k0 into s.a and s.b. */
  template <class Load> __device__ __forceinline__ void add(Shared &s, int depth, Load load) {
    for (int k0 = 0; k0 < depth; k0 += DEPTH) {
      load(k0);
      __syncthreads();
      addSlice(s);
      __syncthreads();
    }
  }

  /** Lays the tile into s.c for all threads to see. */
  __device__ __forceinline__ void show(Shared &s) const {
    const int row = threadIdx.x / GROUPS * EACH, column = threadIdx.x % GROUPS * 4;
#pragma unroll
    for (int i = 0; i < EACH; i++)
      *reinterpret_cast<float4 *>(&s.c[row + i][column]) = make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
    __syncthreads();
  }
};

/** Sum over the block, the same for every thread and in the same order every time. */
__device__ __forceinline__ float blockSum(float *red, float value) {
  red[threadIdx.x] = value;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if ((int)threadIdx.x < half) red[threadIdx.x] += red[threadIdx.x + half];
  }
  __syncthreads();
  const float total = red[0];
  __syncthreads();
  return total;
}
