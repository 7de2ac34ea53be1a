#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: is the engine `cuda` right, and how fast is it beside PyTorch? One command, under
# eight minutes. Needs the built program and koffi, which `scripts/gpu-pack.sh` collects for machines without a network.
#
#   scripts/gpu-check.sh            NODE, PYTHON, NVRTC_LIB and CUDA_LIB name what it would not find by itself
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
began=$SECONDS
limit=460
say() { printf '\n== %s (after %d s)\n' "$1" $((SECONDS - began)); }

python=${PYTHON:-python3}
if [[ -z ${NODE:-} ]]; then
  NODE=$(command -v node || true)
  if [[ -f .gpu/node.xz ]]; then
    NODE=$(mktemp -d)/node
    if ! xz -dc .gpu/node.xz > "$NODE" 2> /dev/null; then
      "$python" -c "import lzma, shutil, sys; shutil.copyfileobj(lzma.open('.gpu/node.xz'), sys.stdout.buffer)" > "$NODE"
    fi
    chmod +x "$NODE"
  fi
fi
if [[ ! -d dist && -f .gpu/program.tar.gz ]]; then tar xzf .gpu/program.tar.gz; fi
"$NODE" --version || {
  echo 'no Node.js was found: set NODE, or run scripts/gpu-pack.sh first' >&2
  exit 69
}
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv 2> /dev/null || echo 'no nvidia-smi'

failed=0
say 'against the oracle'
timeout 150 "$NODE" bench/gpu/check.mjs || failed=1
say 'stacks of networks'
timeout 120 "$NODE" bench/gpu/stack.mjs || failed=1
left=$((limit - SECONDS + began))
say "PyTorch on the same GPU, $left s left"
if "$python" -c 'import torch' 2> /dev/null; then
  PYTHONUNBUFFERED=1 timeout "$left" "$python" bench/gpu/torch_stack.py $((left - 30)) || echo 'PyTorch did not finish'
else
  echo 'there is no PyTorch here'
fi
say "$([[ $failed == 0 ]] && echo passed || echo FAILED)"
exit $failed
