# shellcheck shell=bash
# Sourced by the scripts: runs steps quietly. Output goes to a log; the terminal gets one short line a step, and the end
# of the log when a step fails.

# fail MESSAGE...: an error for the person at the terminal, and the end.
fail() {
  printf 'error: %s\n' "$@" >&2
  exit 1
}

# The last "[12/345]" of ninja or "12/345 Test" of ctest in a log, as "12/345".
progress_of() {
  tail -c 4096 "$1" 2>/dev/null | grep -aoE '^(\[[0-9]+/[0-9]+\]| *[0-9]+/[0-9]+ Test)' | tail -n 1 | tr -cd '0-9/'
}

show_end() {
  printf -- '--- the end of %s:\n' "$1"
  tail -n 40 "$1"
}

# step TITLE LOG COMMAND...: runs the command with its output in the log. Returns the status of the command. What a
# failure shows of the log is up to the function that $explain names.
step() {
  local title=$1 log=$2 pid status=0 begun=$SECONDS mark=ok
  shift 2
  if [ -t 1 ]; then
    "$@" >"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r%-36s %-12s %4d s' "$title" "$(progress_of "$log")" $((SECONDS - begun))
      sleep 0.5
    done
    wait "$pid" || status=$?
    printf '\r'
  else
    "$@" >"$log" 2>&1 || status=$?
  fi
  [ "$status" -eq 0 ] || mark=FAILED
  printf '%-36s %-12s %4d s\n' "$title" "$mark" $((SECONDS - begun))
  [ "$status" -eq 0 ] || "${explain:-show_end}" "$log" >&2
  return "$status"
}

# Parallel jobs: one a core, and no more than memory carries (about 1.5 GiB a compiler).
jobs_that_fit() {
  local cores memory
  cores=$(nproc 2>/dev/null || echo 2)
  memory=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo 2>/dev/null || echo 2)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}
