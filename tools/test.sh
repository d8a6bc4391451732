#!/usr/bin/env bash
# Builds tandem from nothing and runs all tests, the consumer's included. The last line is "N passed, N failed".
# Usage: tools/test.sh [PRESET [-DOPTION...]]     PRESET is dev (as it stands), asan-ubsan or tsan; see CMakePresets.json
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/progress.sh
. tools/progress.sh

preset=${1:-dev}
options=("${@:2}")
build=build/$preset
jobs=$(jobs_that_fit)
export CTEST_OUTPUT_ON_FAILURE=1

give_up() {
  echo "0 passed, 1 failed"
  exit 1
}

mkdir -p "$build/log"
tools/setup.sh || give_up
step "configure ($preset)" "$build/log/configure.log" cmake --preset "$preset" ${options[@]+"${options[@]}"} || give_up
step "build" "$build/log/build.log" cmake --build "$build" --parallel "$jobs" || give_up

# Of a test log: what the tests that failed said, a screen each, and where the rest is. (`step` calls it.)
# shellcheck disable=SC2317
show_failures() {
  awk '/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {shown = /\*\*\*/ ? 40 : 0}
       /^ +Start +[0-9]+: / || /^[0-9]+% tests passed/ {next}
       /^The following tests FAILED/ {shown = 100}
       shown-- > 0' "$1"
  printf -- '--- all of it is in %s\n' "$1"
}

# A sanitized library cannot be linked by a consumer that does not know of it.
selection=()
[ "$preset" = dev ] || selection=(--label-exclude consumer)
status=0
explain=show_failures step "test" "$build/log/test.log" ctest --test-dir "$build" --no-tests=error --parallel "$jobs" \
  ${selection[@]+"${selection[@]}"} || status=$?

# ctest ends with "100% tests passed, 0 tests failed out of 214".
summary=$(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$build/log/test.log" | tail -n 1)
[ -n "$summary" ] || give_up
read -r failed total <<<"$summary"
echo "$((total - failed)) passed, $failed failed"
exit "$status"
