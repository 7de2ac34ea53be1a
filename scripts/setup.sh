#!/usr/bin/env bash
# Checks Node and installs the packages of package-lock.json, if they are not there yet. Everything goes to stderr.
#   OFFLINE=1   never touches the network
set -euo pipefail
exec 1>&2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

note() { printf 'setup: %s\n' "$*"; }

if ! command -v node > /dev/null; then
  note 'node is not on the PATH. Fathom needs Node 20.19, 22.12 or newer: environment.md says how to get it.'
  exit 69
fi
if ! node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  process.exitCode = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24 ? 0 : 1;'; then
  note "node $(node --version) is not supported: Fathom needs 20.19 or a later 20, 22.12 or a later 22, or 24 and newer."
  exit 69
fi

installed=node_modules/.package-lock.json
if [[ -e $installed && ! package-lock.json -nt $installed ]]; then
  exit 0
fi
if [[ ${OFFLINE:-0} == 1 ]]; then
  if [[ -e $installed ]]; then
    note 'package-lock.json is newer than node_modules, and OFFLINE=1 forbids installing: going on with what is there.'
    exit 0
  fi
  note 'node_modules is missing and OFFLINE=1 forbids installing: prepare this folder on a machine with a network.'
  exit 69
fi
note 'installing the packages of package-lock.json'
quiet=(--no-audit --no-fund --loglevel=error)
if ! said=$(npm ci "${quiet[@]}" 2>&1); then
  if [[ $said != *EUSAGE* ]]; then
    printf '%s\n' "$said"
    exit 69
  fi
  # npm leaves packages of other platforms out of a lock file where the registry does not serve them, and then refuses
  # its own file. Installing without saving takes the locked versions all the same.
  note 'npm ci finds package-lock.json incomplete: installing with npm install --no-save'
  npm install --no-save "${quiet[@]}"
fi
touch "$installed"
