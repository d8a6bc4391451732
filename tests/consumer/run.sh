#!/usr/bin/env bash
# Builds and runs the consumer in one of the ways that an engine may take tandem. Run by ctest.
# Usage: run.sh install|find_package|add_subdirectory|pkg-config BUILD_DIR    (BUILD_DIR: tandem's, already built)
set -euo pipefail
way=$1
build=$(cd "$2" && pwd)
consumer=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$build/consumer/$way
prefix=$build/consumer/prefix
compiler=${CXX:-c++}
options=(-DCMAKE_CXX_COMPILER="$compiler")
! command -v ninja >/dev/null || options+=(-G Ninja)
! command -v ccache >/dev/null || options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

rm -rf "$work"
mkdir -p "$work"
case $way in
  install)
    rm -rf "$prefix"
    cmake --install "$build" --prefix "$prefix"
    exit
    ;;
  find_package)
    cmake -S "$consumer" -B "$work" "${options[@]}" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug
    cmake --build "$work"
    ;;
  add_subdirectory) # as shared libraries, so that both kinds are built and used
    cmake -S "$consumer" -B "$work" "${options[@]}" -DTANDEM_SOURCE_DIR="$consumer/../.." -DBUILD_SHARED_LIBS=ON \
      -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DCMAKE_UNITY_BUILD=ON -DTANDEM_GPU=off
    cmake --build "$work" --parallel 2
    ;;
  pkg-config)
    export PKG_CONFIG_PATH
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name tandem.pc)")
    read -ra flags <<<"$(pkg-config --define-variable=prefix="$prefix" --cflags --libs tandem)"
    for example in engine gpu_engine; do
      "$compiler" -std=c++20 "$consumer/$example.cpp" -o "$work/$example" "${flags[@]}"
    done
    ;;
  *)
    echo "unknown way: $way" >&2
    exit 2
    ;;
esac
"$work/engine"
"$work/gpu_engine"
