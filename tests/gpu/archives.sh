#!/usr/bin/env bash
# The models of tests/data/torch_export on this machine's GPU, fused and unfused, against what PyTorch computed.
# Usage: archives.sh TANDEM [COMMAND BEFORE IT...]     e.g. archives.sh build/release/tandem compute-sanitizer -q
set -uo pipefail
tandem=$1
shift
data=$(cd "$(dirname "${BASH_SOURCE[0]}")/../data/torch_export" && pwd)
failed=0
for archive in "$data"/*.pt2; do
  name=$(basename "$archive" .pt2)
  tolerance=1e-5
  [[ $name != *bf16* ]] || tolerance=2e-2
  for fusion in on off; do
    if output=$("$@" "$tandem" run "$archive" --device hip --inputs "${archive%.pt2}_io.safetensors" \
      --compare "${archive%.pt2}_io.safetensors" --rtol "$tolerance" --flag fuse_mla_dual_rms_norm=$fusion 2>&1); then
      echo "ok      $name, fusion $fusion"
    else
      echo "FAILED  $name, fusion $fusion"
      echo "$output" | tail -n 12
      failed=$((failed + 1))
    fi
  done
done
echo "$failed failed"
[[ $failed == 0 ]]
