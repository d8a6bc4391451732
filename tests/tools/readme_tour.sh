#!/usr/bin/env bash
# Runs every command of a document's tour, in order, in an empty folder. Usage: readme_tour.sh DOCUMENT.md COMMAND
set -euo pipefail
readme=$(realpath "$1")
PATH=$(dirname "$(realpath "$2")"):$PATH
TANDEM=$(dirname "$readme")
export TANDEM
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
awk '/^```sh tour$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$readme" >tour.sh
[ -s tour.sh ] || {
  echo "no tour in $readme" >&2
  exit 1
}
bash -euxo pipefail tour.sh
