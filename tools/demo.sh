#!/usr/bin/env bash
# Builds tandem and does its main job: the 61 dual RMSNorms of DeepSeek-V3 fused, checked, and run.
# Leaves the graphs in build/demo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/progress.sh
. tools/progress.sh

build=build/release
tandem=$build/tandem
out=build/demo
mkdir -p "$build/log" "$out"

tools/setup.sh
step "configure" "$build/log/configure.log" cmake --preset release
step "build" "$build/log/build.log" cmake --build "$build" --parallel "$(jobs_that_fit)"

# show COMMAND...: prints the command, then runs it.
show() {
  printf '\n$ %s\n' "$*"
  "$@" 2>&1
}

show "$tandem" generate tests/data/deepseek_v3_config.json -o "$out/deepseek_v3.json"
show "$tandem" opt "$out/deepseek_v3.json" -O1 --target rocm:gfx942 --report \
  --expect mla_dual_rms_norm=61 -o "$out/deepseek_v3.fused.json"

# The same architecture at small sizes, on random weights: unfused, then fused, each against the float64 oracle.
data=(--random-weights 1 --random-inputs 2 --bind T=16 --compare-oracle)
show "$tandem" generate tests/data/deepseek_v3_tiny_config.json -o "$out/tiny.json"
show "$tandem" run "$out/tiny.json" -O0 "${data[@]}"
show "$tandem" run "$out/tiny.json" -O1 --target rocm:gfx942 "${data[@]}"
