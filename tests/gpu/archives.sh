#!/usr/bin/env bash
# The models of tests/data/torch_export on this machine's GPU, fused and unfused, against what PyTorch computed.
# Usage: archives.sh TANDEM [COMMAND BEFORE IT...]     e.g. archives.sh build/release/tandem compute-sanitizer -q
# Without a GPU: LD_LIBRARY_PATH=build/dev/tests/emulated/lib archives.sh build/dev/tandem
set -uo pipefail
tandem=$1
shift
data=$(cd "$(dirname "${BASH_SOURCE[0]}")/../data/torch_export" && pwd)
failed=0
tested=
for archive in "$data"/*.pt2; do
  name=$(basename "$archive" .pt2)
  for io in "$data/$name"*_io.safetensors "$data/${name%_decomposed}_io.safetensors"; do
    case $(basename "$io" _io.safetensors) in
      "$name" | "${name}"_[0-9] | "${name%_decomposed}") ;;  # its own, for other sizes, of the same outputs
      *) continue ;;
    esac
    [[ -e $io && $io != "$tested" ]] || continue
    for fusion in on off; do
      if output=$("$@" "$tandem" run "$archive" --device hip --inputs "$io" --compare "$io" \
        --flag fuse_mla_dual_rms_norm=$fusion 2>&1); then
        echo "ok      $name, $(basename "$io"), fusion $fusion"
      else
        echo "FAILED  $name, $(basename "$io"), fusion $fusion"
        echo "$output" | grep -E "ABOVE TOLERANCE|error" | tail -n 12
        failed=$((failed + 1))
      fi
    done
    tested=$io
  done
  tested=
done
echo "$failed failed"
[[ $failed == 0 ]]
