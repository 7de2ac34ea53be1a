#!/usr/bin/env bash
# Puts native libraries and test tools where Fathom looks for them, by package name, once. Everything goes to stderr.
#
#   scripts/setup-native.sh xgboost       libxgboost of the PyPI wheel, into .fathom/native/python
#   scripts/setup-native.sh openblas      OpenBLAS of the PyPI wheel, into .fathom/native/openblas
#   scripts/setup-native.sh nvrtc         NVIDIA's run-time compiler of the PyPI wheel, into .fathom/native/nvrtc
#   scripts/setup-native.sh tensorflow    TensorFlow.js on the TensorFlow of the PyPI wheel (2 GB), into .fathom/native/tensorflow
#   scripts/setup-native.sh compiler      g++, for tests of the CUDA kernels on the CPU (Debian package, root only)
#   scripts/setup-native.sh python-test   numpy and scipy, for the tests that compare with XGBoost's own Python package
#   scripts/setup-native.sh chromium      a browser for the tests of the report (Debian package, root only)
#   scripts/setup-native.sh shellcheck    (Debian package, root only)
#
# What cannot be installed costs only the stages and tests that need it, so every failure is a note and the exit
# status is 0. `STRICT=1` turns a failure into exit status 69.
#   OFFLINE=1                             never touches the network
#   XGBOOST_PACKAGE=xgboost|xgboost-cpu   with CUDA (130 MB) or without (6 MB); default: with it where a GPU is seen
#   XGBOOST_VERSION=3.2.0                 exactly this version
#   TENSORFLOW_PACKAGE=tensorflow|...     with CUDA or without; default: with it where a GPU is seen
set -euo pipefail
exec 1>&2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
native=.fathom/native
mkdir -p "$native"

# One installation at a time, also when several jobs share the folder.
if command -v flock > /dev/null; then
  exec 9> "$native/.lock"
  flock 9
fi

note() { printf 'setup: %s\n' "$*"; }

# lacking WHAT WHY FIX: something could not be installed.
lacking() {
  note "$1 is not installed: $2."
  note "  $3"
  if [[ ${STRICT:-0} == 1 ]]; then exit 69; fi
}

offline() { [[ ${OFFLINE:-0} == 1 ]]; }
can_apt() { ! offline && command -v apt-get > /dev/null && [[ $(id -u) == 0 ]]; }

apt_install() {
  can_apt || return 1
  local quiet=(-qq -o=Dpkg::Use-Pty=0 -o=DPkg::Lock::Timeout=300)
  export DEBIAN_FRONTEND=noninteractive
  apt-get install "${quiet[@]}" -y --no-install-recommends "$@" > /dev/null 2>&1 && return 0
  apt-get update "${quiet[@]}" > /dev/null 2>&1 || return 1
  apt-get install "${quiet[@]}" -y --no-install-recommends "$@" > /dev/null
}

has_pip() { python3 -m pip --version > /dev/null 2>&1; }

# pip_install TARGET REQUIREMENT...: unpacks wheels into a folder of their own. It appears whole or not at all, and
# touches no other Python: this also works where the system's refuses plain installs.
pip_install() {
  local target=$1
  shift
  if offline; then return 1; fi
  has_pip || apt_install python3-pip || return 1
  rm -rf "$target.new"
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-input \
    --only-binary :all: --target "$target.new" "$@" || return 1
  rm -rf "$target"
  mv "$target.new" "$target"
}

why_not() {
  if offline; then
    printf 'OFFLINE=1 forbids it'
  elif ! has_pip; then
    printf 'python3 has no pip'
  else
    printf 'pip could not fetch it (see above)'
  fi
}

has_gpu() {
  nvidia-smi > /dev/null 2>&1 || [[ -n $(find /usr/lib /usr/lib64 /usr/local/nvidia -name libcuda.so.1 -print -quit 2> /dev/null) ]]
}

install_xgboost() {
  local stamp=$native/xgboost.stamp library=$native/python/xgboost/lib/libxgboost.so
  # Once there, it stays as it is unless another is asked for by name: jobs on other nodes may have it open.
  local package=${XGBOOST_PACKAGE:-} version=${XGBOOST_VERSION:-}
  local asked="$package $version"
  if [[ -e $library && ($asked == ' ' || $(cat "$stamp" 2> /dev/null) == "$asked") ]]; then return 0; fi
  if [[ -z $package ]]; then
    package=xgboost-cpu
    if has_gpu; then package=xgboost; fi
  fi
  local requirement="$package>=2.0,<4"
  if [[ -n $version ]]; then requirement="$package==$version"; fi
  offline || note "installing $requirement into $native/python"
  if pip_install "$native/python" "$requirement"; then
    printf '%s\n' "$asked" > "$stamp"
  else
    # Debian's own libxgboost is 1.7, older than what Fathom supports, so it is no way out.
    lacking XGBoost "$(why_not)" \
      'Stages that boost trees will say so. Set XGBOOST_LIB to a libxgboost.so of version 2.0 or newer, or see environment.md.'
  fi
}

install_openblas() {
  # A folder of its own: pip_install replaces folders, and another XGBoost must not take this away.
  if [[ -e $native/openblas/scipy_openblas32/lib/libscipy_openblas.so ]]; then return 0; fi
  offline || note "installing scipy-openblas32 into $native/openblas"
  pip_install "$native/openblas" 'scipy-openblas32>=0.3.29,<0.4' ||
    lacking OpenBLAS "$(why_not)" \
      'Networks train with the slower engine wasm. Set OPENBLAS_LIB to a libopenblas.so of version 0.3.21 or newer, or see environment.md.'
}

install_nvrtc() {
  if [[ -e $native/nvrtc/nvidia/cu13/lib/libnvrtc.so.13 ]]; then return 0; fi
  offline || note "installing nvidia-cuda-nvrtc into $native/nvrtc"
  pip_install "$native/nvrtc" 'nvidia-cuda-nvrtc>=13,<14' ||
    lacking NVRTC "$(why_not)" \
      'The engine cuda needs it: load a CUDA module, set NVRTC_LIB to a libnvrtc.so, or see docs/engines.md.'
}

# The published binding is built for a TensorFlow of 2022. Its sources compile against a modern library with one line.
install_tensorflow() {
  local home=$native/tensorflow package=${TENSORFLOW_PACKAGE:-}
  local js=node_modules/@tensorflow/tfjs-node-gpu
  if [[ -e $home/$js/lib/napi-v8/tfjs_binding.node ]]; then return 0; fi
  local how='Networks train with the other engines; see docs/engines.md.'
  if ! command -v g++ > /dev/null && ! apt_install g++; then
    lacking TensorFlow.js 'there is no g++' "$how"
    return 0
  fi
  if [[ -z $package ]]; then
    package=tensorflow-cpu
    if has_gpu; then package=tensorflow; fi
  fi
  offline || note "installing $package and @tensorflow/tfjs-node-gpu into $home"
  mkdir -p "$home"
  if [[ ! -d $home/python/tensorflow ]] && ! pip_install "$home/python" "$package>=2.16,<3"; then
    lacking TensorFlow.js "$(why_not)" "$how"
    return 0
  fi
  if [[ ! -d $home/$js ]] && ! npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --loglevel=error \
    '@tensorflow/tfjs-node-gpu@^4.22.0' node-api-headers; then
    lacking TensorFlow.js 'npm could not fetch it (see above)' "$how"
    return 0
  fi
  local library
  library=$(cd "$home/python/tensorflow" && pwd)
  mkdir -p "$home/$js/lib/napi-v8"
  if g++ -O2 -shared -fPIC -std=c++17 -DNAPI_VERSION=9 \
    -I "$home/node_modules/node-api-headers/include" -I "$library/include" \
    "$home/$js/binding/tfjs_backend.cc" "$home/$js/binding/tfjs_binding.cc" \
    -o "$home/$js/lib/napi-v8/tfjs_binding.node.new" \
    -L "$library" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 -Wl,-rpath,"$library"; then
    mv "$home/$js/lib/napi-v8/tfjs_binding.node.new" "$home/$js/lib/napi-v8/tfjs_binding.node"
    find "$home/python" -maxdepth 1 -name 'tensorflow*.dist-info' -printf '%f\n' | sed 's/\.dist-info$//; s/-/ /' > "$home/library-version"
  else
    lacking TensorFlow.js 'g++ could not build its binding (see above)' "$how"
  fi
}

install_python_test() {
  if [[ -d $native/python-test/scipy ]]; then return 0; fi
  offline || note "installing numpy and scipy into $native/python-test, for tests"
  pip_install "$native/python-test" numpy scipy ||
    lacking 'scipy (with numpy)' "$(why_not)" "Tests that compare with XGBoost's Python package are left out."
}

# install_tool PACKAGE PURPOSE COMMAND...: a Debian package, unless one of the commands is there already.
install_tool() {
  local package=$1 purpose=$2 name
  shift 2
  for name in "$@"; do
    if command -v "$name" > /dev/null; then return 0; fi
  done
  if can_apt; then
    note "installing $package"
    if apt_install "$package"; then return 0; fi
    lacking "$package" 'apt-get could not install it' "$purpose are left out."
  else
    lacking "$package" 'this needs apt-get, root and a network' "$purpose are left out until an administrator installs it."
  fi
}

for what in "$@"; do
  case $what in
    xgboost) install_xgboost ;;
    openblas) install_openblas ;;
    nvrtc) install_nvrtc ;;
    tensorflow) install_tensorflow ;;
    compiler) install_tool g++ 'Tests of the CUDA kernels' g++ ;;
    python-test) install_python_test ;;
    chromium) install_tool chromium 'Tests of the report in a browser' chromium chromium-browser google-chrome ;;
    shellcheck) install_tool shellcheck 'Checks of the shell scripts' shellcheck ;;
    *)
      note "nothing called $what can be installed"
      exit 64
      ;;
  esac
done
