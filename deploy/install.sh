#!/usr/bin/env bash
# Installs seqloom on Debian 13 from the folder above this script, as root: the locked packages of the current stack in
# /opt/seqloom, byte-compiled, the command on the PATH, and a user `seqloom` to run it as.
# GPU=1 adds NVIDIA's CUDA and cuDNN, which the lock leaves out; the driver comes from the host.
set -euo pipefail
source_folder="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly source_folder
readonly PREFIX=/opt/seqloom
readonly ACCOUNT=seqloom

work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT

install_system_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update --quiet
  apt-get install --yes --quiet --no-install-recommends ca-certificates python3 python3-venv
  apt-get clean
  rm -rf /var/lib/apt/lists/*
}

install_uv() {
  python3 -m venv "$work/uv"
  "$work/uv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes \
    --only-binary :all: -r "$source_folder/locks/uv.txt"
}

install_seqloom() { # the build writes into its folder, and this one may be read-only
  local lock="$source_folder/locks/py311.txt" packages=(".[index,subwords]") part
  mkdir "$work/seqloom"
  for part in pyproject.toml README.md LICENSE pipeline components trainer schema; do
    cp -r "$source_folder/$part" "$work/seqloom/"
  done
  [[ "${GPU:-0}" == 0 ]] || packages+=("tensorflow[and-cuda]")
  cd "$work/seqloom" # uv reads the overrides of dependencies from its pyproject.toml
  "$work/uv/bin/uv" venv --quiet --no-project --python /usr/bin/python3 "$PREFIX"
  "$work/uv/bin/uv" pip install --quiet --no-cache --python "$PREFIX/bin/python" --constraint "$lock" \
    --build-constraint "$lock" --compile-bytecode "${packages[@]}"
  rm -rf "$PREFIX"/lib/python3*/site-packages/tensorflow/include # 0.4 GB of headers, for building operations in C++
  ln -sf "$PREFIX/bin/seqloom" /usr/local/bin/seqloom
}

create_account() {
  id "$ACCOUNT" >/dev/null 2>&1 || useradd --create-home --uid 1000 --shell /usr/sbin/nologin "$ACCOUNT"
}

install_system_packages
install_uv
install_seqloom
create_account
