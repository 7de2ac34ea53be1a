#!/usr/bin/env bash
# Collects into .gpu/ what scripts/gpu-check.sh needs on a machine without a network: Node.js, the built program, koffi.
# The machine must be of the same architecture as this one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .gpu
if [[ ! -f .gpu/node.xz ]]; then xz -9e -T0 -c "$(command -v node)" > .gpu/node.xz; fi
packages=(node_modules/koffi/package.json node_modules/koffi/index.cjs node_modules/koffi/index.js node_modules/koffi/src)
files=(dist bench/gpu package.json)
for name in "${packages[@]}" node_modules/@koromix; do
  if [[ -e $name ]]; then files+=("$name"); fi
done
tar czf .gpu/program.tar.gz --exclude='*.cc' --exclude='*.hh' --exclude='*.map' "${files[@]}"
du -sh .gpu
