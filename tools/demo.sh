#!/usr/bin/env bash
# Builds tandem and does its main job: the 61 dual RMSNorms of DeepSeek-V3 fused for an AMD MI300X, then the same
# architecture at small sizes run on the CPU, unfused and fused, against the float64 oracle.
# Leaves the command in build/release and the graphs in build/demo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/progress.sh
. tools/progress.sh

build=build/release
tandem=$build/tandem
out=build/demo
mkdir -p "$build/log" "$out"

tools/setup.sh
step "configure (release)" "$build/log/configure.log" cmake --preset release
step "build" "$build/log/build.log" cmake --build "$build" --parallel "$(jobs_that_fit)"

# show COMMAND...: prints the command, then runs it.
show() {
  printf '\n$ %s\n' "$*"
  "$@" 2>&1
}

show "$tandem" generate tests/data/deepseek_v3_config.json -o "$out/deepseek_v3.json"
show "$tandem" opt "$out/deepseek_v3.json" -O1 --target rocm:gfx942 --report \
  --expect mla_dual_rms_norm=61 -o "$out/deepseek_v3.fused.json"

show "$tandem" generate tests/data/deepseek_v3_tiny_config.json -o "$out/tiny.json"
show "$tandem" opt "$out/tiny.json" -O1 --target rocm:gfx942 --expect mla_dual_rms_norm=4 -o "$out/tiny.fused.json"
data=(--random-weights 1 --random-inputs 2 --bind T=16 --compare-oracle)
show "$tandem" run "$out/tiny.json" -O0 "${data[@]}" | tee "$out/unfused.txt"
show "$tandem" run "$out/tiny.json" -O1 --target rocm:gfx942 "${data[@]}" | tee "$out/fused.txt"

# The last line of a comparison: output, largest difference, the same relative to the largest element, tolerance.
difference() { awk 'END {print $2 " (" $3 " of the largest logit)"}' "$1"; }
printf '\n61 of 61 dual norms fused: %s\n' "$out/deepseek_v3.fused.json"
printf 'largest difference from the float64 oracle: unfused %s, fused %s\n' \
  "$(difference "$out/unfused.txt")" "$(difference "$out/fused.txt")"
