#!/usr/bin/env bash
# What the AMD machine code of kernels/hip must keep, read with LLVM's tools; no GPU is needed.
#
#   every kernel         no spilled vector registers, no scratch memory (but for those listed)
#   norms                16-byte loads and stores; lanes exchange by DPP and readlane, never by ds_bpermute or ds_swizzle;
#                        no spilled scalar registers; so few vector registers that the intended waves fit on a SIMD
#
# Usage: machine_code.sh BUILD_DIR     Looks at BUILD_DIR/gpu/gfx*/*.o. Exit status 77 where there are none, or no tools.
set -euo pipefail
objects=("$1"/gpu/gfx*/*.o)
[ -e "${objects[0]}" ] || { echo "skipped: this build has no AMD machine code"; exit 77; }

tool() {
  local name
  for name in "$1" "$1"-23 "$1"-22 "$1"-21 "$1"-20 /opt/rocm/llvm/bin/"$1"; do
    command -v "$name" && return
  done
  echo "skipped: there is no $1" >&2
  return 1
}
# Debian's plain names belong to an LLVM that may be older than the objects.
readelf=$(tool llvm-readelf-22 2>/dev/null || tool llvm-readelf) || exit 77
objdump=$(tool llvm-objdump-22 2>/dev/null || tool llvm-objdump) || exit 77

# Kernels that may use scratch, and why: torch_topk moves 16-byte items by value through a heap.
may_use_scratch='^torch_topk$'
norms='^(rms_norm_(unaligned_)?(block|wave)|dual_rms_norm|add_rms_norm)_'

failures=0
fail() {
  echo "FAILED: $1: $2: $3"
  failures=$((failures + 1))
}

# Vector registers that leave room for the waves a SIMD should hold of a norm kernel: 4 of a block of 1,024 threads on
# gfx9; elsewhere what one row in flight takes.
ceiling() {
  case $1 in
    rms_norm_block* | rms_norm_unaligned_block* | add_rms_norm*) echo 64 ;;
    dual_rms_norm_wave*) echo 192 ;;
    *) echo 128 ;;
  esac
}

kernels=0
for object in "${objects[@]}"; do
  arch=$(basename "$(dirname "$object")")
  # name, vgprs, spilled vgprs, spilled sgprs, scratch bytes of each kernel
  table=$("$readelf" --notes "$object" | awk '
    /^ *- \.agpr_count:|^ *- \.args:/ { name = "" }
    /^ *\.name: / && $2 !~ /^\./ { name = $2 }
    /\.private_segment_fixed_size:/ { scratch = $2 }
    /\.sgpr_spill_count:/ { sgpr_spills = $2 }
    /\.vgpr_count:/ { vgprs = $2 }
    /\.vgpr_spill_count:/ { print name, vgprs, $2, sgpr_spills, scratch }')
  # Of norms, what their instructions are: 16-byte loads, 16-byte stores, DPP, exchanges through LDS.
  declare -A marks=()
  if awk '{ print $1 }' <<<"$table" | grep -qE "$norms"; then
    while read -r name found; do
      marks[$name]=$found
    done < <("$objdump" -d --no-show-raw-insn "$object" | awk '
      /^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); kernels[name] }
      /global_load_(dwordx4|b128)/ { load[name] = "load " }
      /global_store_(dwordx4|b128)/ { store[name] = "store " }
      /quad_perm|row_half_mirror/ { dpp[name] = "dpp " }
      /ds_bpermute|ds_swizzle/ { lds[name] = "lds" }
      END { for (name in kernels) print name, load[name] store[name] dpp[name] lds[name] }')
  fi
  while read -r name vgprs vgpr_spills sgpr_spills scratch; do
    kernels=$((kernels + 1))
    [ "$vgpr_spills" = 0 ] || fail "$arch" "$name" "$vgpr_spills vector registers are spilled"
    [ "$scratch" = 0 ] || [[ $name =~ $may_use_scratch ]] || fail "$arch" "$name" "$scratch bytes of scratch memory"
    [[ $name =~ $norms ]] || continue
    [ "$sgpr_spills" = 0 ] || fail "$arch" "$name" "$sgpr_spills scalar registers are spilled"
    [ "$vgprs" -le "$(ceiling "$name")" ] || fail "$arch" "$name" "$vgprs vector registers, at most $(ceiling "$name")"
    [[ ${marks[$name]} = *load* ]] || fail "$arch" "$name" "no load of 16 bytes"
    [[ ${marks[$name]} = *store* ]] || fail "$arch" "$name" "no store of 16 bytes"
    [[ ${marks[$name]} = *dpp* ]] || fail "$arch" "$name" "no DPP"
    [[ ${marks[$name]} != *lds* ]] || fail "$arch" "$name" "lanes exchange through LDS"
  done <<<"$table"
done
[ "$kernels" -gt 0 ] || { echo "FAILED: no kernel was found in ${#objects[@]} objects"; exit 1; }
echo "$kernels kernels of ${#objects[@]} objects, $failures failures"
[ "$failures" = 0 ]
