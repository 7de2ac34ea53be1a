// A stand-in for libcuda.so.1 that runs the kernels of mtl.cu on the CPU (see shim.h): the program under test calls it
// as it would call the driver. Compiled by the tests for one shape of network at a time.
#include "shim.h"

#include "mtl.cu"

#include <sys/mman.h>

#include <chrono>
#include <map>
#include <string>

namespace {

typedef std::function<void(void **)> Kernel;

template <class... A, size_t... I> void apply(void (*kernel)(A...), void **values, std::index_sequence<I...>) {
  kernel(*static_cast<A *>(values[I])...);
}
template <class... A> Kernel kernelOf(void (*kernel)(A...)) {
  return [kernel](void **values) { apply(kernel, values, std::index_sequence_for<A...>()); };
}

#define LISTED(name) {#name, kernelOf(name)},
#define LISTED_LAYER(L) LISTED(forward##L) LISTED(frozen##L)
#define LISTED_BELOW(L, ABOVE) LISTED(backward##L)
std::map<std::string, Kernel> kernels = {
  FOR_EACH_LAYER(LISTED_LAYER)
  FOR_EACH_LAYER_BELOW(LISTED_BELOW)
  LISTED(backwardHeads) LISTED(heads) LISTED(frozenOutputs) LISTED(frozenLosses) LISTED(weights) LISTED(adam) LISTED(count)
#if ROWS <= 32 || (ROWS > 36 && ROWS <= 64)
  LISTED(gram) LISTED(weightsAdam)
#endif
};

/** Arguments are copied when a kernel is launched or captured, as the driver does. */
struct Launch {
  const Kernel *kernel;
  Index grid;
  unsigned threads;
  std::vector<std::vector<char>> values;
};
typedef std::vector<Launch> Graph;
Graph *capturing = nullptr;

void run(Launch &launch) {
  std::vector<void *> pointers;
  for (auto &value : launch.values) pointers.push_back(value.data());
  shim::launch(launch.grid, launch.threads, [&] { (*launch.kernel)(pointers.data()); });
}

constexpr size_t PAGE = 4096, TOTAL = (size_t)8 << 30;
struct Block {
  void *begin;
  size_t span, bytes;
};
std::map<uint64_t, Block> blocks;
size_t used = 0;

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

#define API extern "C" int
API cuInit(unsigned) { return 0; }
API cuDriverGetVersion(int *version) { return *version = 13020, 0; }
API cuDeviceGetCount(int *count) { return *count = 2, 0; }
// GPU 1 is the same as GPU 0, only that it runs threads and blocks from last to first.
API cuDeviceGet(int *device, int ordinal) {
  shim::backwards = ordinal == 1;
  return *device = ordinal, ordinal <= 1 ? 0 : 101;
}
API cuDeviceGetName(char *name, int length, int) { return snprintf(name, length, "stand-in"), 0; }
API cuDeviceGetAttribute(int *value, int attribute, int) { return *value = attribute == 75 ? 9 : 0, 0; }
API cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = TOTAL, 0; }
API cuDevicePrimaryCtxRetain(void **context, int) { return *context = &kernels, 0; }
API cuDevicePrimaryCtxRelease_v2(int) { return 0; }
API cuCtxSetCurrent(void *) { return 0; }
API cuCtxSynchronize() { return 0; }
API cuModuleLoadData(void **module, const void *) { return *module = &kernels, 0; }
API cuModuleUnload(void *) { return 0; }
API cuModuleGetFunction(void **function, void *, const char *name) {
  const auto found = kernels.find(name);
  if (found == kernels.end()) return 500;
  return *function = &found->second, 0;
}
API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *, int, size_t) { return *blocks = 1, 0; }
API cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
  if (bytes == 0) return 1;
  if (used + bytes > TOTAL) return 2;
  const size_t body = (bytes + 15) / 16 * 16, span = (body + PAGE - 1) / PAGE * PAGE + PAGE;
  char *begin = (char *)mmap(nullptr, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) return 2;
  mprotect(begin + span - PAGE, PAGE, PROT_NONE);
  char *user = begin + span - PAGE - body;
  memset(user, 0xff, body);
  *pointer = (uint64_t)user;
  blocks[*pointer] = {begin, span, bytes};
  used += bytes;
  return 0;
}
API cuMemFree_v2(uint64_t pointer) {
  const auto found = blocks.find(pointer);
  if (found == blocks.end()) return 1;
  munmap(found->second.begin, found->second.span);
  used -= found->second.bytes;
  blocks.erase(found);
  return 0;
}
API cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) { return memcpy((void *)to, from, bytes), 0; }
API cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) { return memcpy(to, (void *)from, bytes), 0; }
API cuMemsetD8_v2(uint64_t pointer, unsigned char value, size_t bytes) { return memset((void *)pointer, value, bytes), 0; }
API cuMemGetInfo_v2(size_t *free, size_t *total) { return *total = TOTAL, *free = TOTAL - used, 0; }
API cuStreamCreate(void **stream, unsigned) { return *stream = &blocks, 0; }
API cuStreamDestroy_v2(void *) { return 0; }
API cuStreamSynchronize(void *) { return capturing ? 900 : 0; }
API cuStreamBeginCapture_v2(void *, int) {
  if (capturing) return 901;
  return capturing = new Graph, 0;
}
API cuStreamEndCapture(void *, void **graph) { return *graph = capturing, capturing = nullptr, 0; }
API cuGraphInstantiateWithFlags(void **exec, void *graph, uint64_t) { return *exec = new Graph(*(Graph *)graph), 0; }
API cuGraphLaunch(void *exec, void *) {
  for (Launch &launch : *(Graph *)exec) run(launch);
  return 0;
}
API cuGraphDestroy(void *graph) { return delete (Graph *)graph, 0; }
API cuGraphExecDestroy(void *exec) { return delete (Graph *)exec, 0; }
API cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, void *,
                   void **values, void **) {
  if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || bx * by * bz > 1024 || by != 1 || bz != 1) return 1;
  const auto copy = [](const void *from, size_t bytes) { return std::vector<char>((const char *)from, (const char *)from + bytes); };
  Launch launch{(const Kernel *)function, {gx, gy, gz}, bx, {copy(values[0], sizeof(Stack))}};
  if (launch.kernel == &kernels["count"])
    for (int i = 1; i < 3; i++) launch.values.push_back(copy(values[i], sizeof(int)));
  if (capturing) capturing->push_back(launch);
  else run(launch);
  return 0;
}
API cuEventCreate(void **event, unsigned) { return *event = new double(0), 0; }
API cuEventDestroy_v2(void *event) { return delete (double *)event, 0; }
API cuEventRecord(void *event, void *) { return *(double *)event = milliseconds(), 0; }
API cuEventSynchronize(void *) { return 0; }
API cuEventElapsedTime(float *ms, void *start, void *end) { return *ms = *(double *)end - *(double *)start, 0; }
API cuGetErrorString(int, const char **text) { return *text = "refused by the stand-in", 0; }
