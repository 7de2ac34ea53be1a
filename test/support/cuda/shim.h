// CUDA C for the CPU, so that the arithmetic of kernels can be tested where there is no GPU: included before a kernel's
// source and compiled by g++. The threads of a block are fibres that take turns at barriers; blocks run one by one.
//
// What it finds: wrong arithmetic, reads of shared memory that nobody wrote (it starts as NaN), missing barriers (the
// order of threads and blocks can be turned round), barriers that only some threads reach, reads and writes outside a
// device array (a forbidden page lies behind each). What it cannot find: anything about speed or alignment of memory.
#pragma once
#define HOST_SHIM 1
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#define __global__
#define __device__
#define __constant__ static const
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __syncthreads() shim::barrier()

struct alignas(16) float4 {
  float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
template <class T> inline T __ldg(const T *p) { return *p; }
struct Index {
  unsigned x, y, z;
};

namespace shim {

constexpr size_t STACK_BYTES = 256 << 10, SHARED_BYTES = 48 << 10;

struct Fibre {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[STACK_BYTES]};
  Index thread;
  bool done;
};

static std::vector<Fibre> fibres;
static Fibre *current = nullptr;
static ucontext_t scheduler;
static Index block;
alignas(64) static char shared[SHARED_BYTES];
static const std::function<void()> *body = nullptr;
/** True: threads and blocks run from last to first. */
static bool backwards = false;

static void barrier() { swapcontext(&current->context, &scheduler); }

static void fibreMain() {
  (*body)();
  current->done = true;
  swapcontext(&current->context, &scheduler);
}

static void runBlock(unsigned threads) {
  if (fibres.size() != threads) fibres = std::vector<Fibre>(threads);
  memset(shared, 0xff, SHARED_BYTES);
  for (unsigned i = 0; i < threads; i++) {
    Fibre &fibre = fibres[i];
    fibre.thread = {i, 0, 0};
    fibre.done = false;
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.get();
    fibre.context.uc_stack.ss_size = STACK_BYTES;
    fibre.context.uc_link = nullptr;
    makecontext(&fibre.context, fibreMain, 0);
  }
  for (unsigned waiting = threads; waiting > 0;) {
    unsigned ended = 0;
    waiting = 0;
    for (unsigned i = 0; i < threads; i++) {
      Fibre &fibre = fibres[backwards ? threads - 1 - i : i];
      if (fibre.done) continue;
      current = &fibre;
      swapcontext(&scheduler, &fibre.context);
      (fibre.done ? ended : waiting)++;
    }
    if (ended > 0 && waiting > 0) {
      fprintf(stderr, "%u threads ended while %u wait at a barrier\n", ended, waiting);
      abort();
    }
  }
}

static void launch(Index grid, unsigned threads, const std::function<void()> &kernel) {
  body = &kernel;
  const unsigned total = grid.x * grid.y * grid.z;
  for (unsigned i = 0; i < total; i++) {
    const unsigned at = backwards ? total - 1 - i : i;
    block = {at % grid.x, at / grid.x % grid.y, at / grid.x / grid.y};
    runBlock(threads);
  }
}

} // namespace shim

#define threadIdx (shim::current->thread)
#define blockIdx (shim::block)
#define SHARED(T, name)                                                     \
  static_assert(sizeof(T) <= shim::SHARED_BYTES, "too much shared memory"); \
  T &name = *reinterpret_cast<T *>(shim::shared)
