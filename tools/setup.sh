#!/usr/bin/env bash
# Installs with apt what tandem is built from and with. Does nothing when all of it is there.
# Usage: tools/setup.sh [--ci|--gpu]     --gpu adds a compiler of AMD GPU code (on Debian 12 from bookworm-security),
#                                        --ci that, and what only the checks of CI need (clang, clang-format, shellcheck)
set -euo pipefail

packages=(
  build-essential cmake ninja-build ccache pkg-config
  libfmt-dev libspdlog-dev nlohmann-json3-dev libsimdjson-dev libcli11-dev
  libopenblas-dev libtbb-dev zlib1g-dev
  catch2 libbenchmark-dev
)
gpu=(clang-22 lld-22 llvm-22)
case "${1:-}" in
  "") ;;
  --gpu) packages+=("${gpu[@]}") ;;
  --ci) packages+=(git clang clang-format clang-tidy shellcheck "${gpu[@]}") ;;
  *)
    echo "usage: tools/setup.sh [--ci|--gpu]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "error: this is not Debian: there is no apt-get. Install the equivalents of these packages by hand:" >&2
  printf '  %s\n' "${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: packages are missing, and this is neither root nor a machine with sudo. As root, run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  if ! ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "error: 'apt-get $*' failed" >&2
    exit 1
  fi
}
echo "installing ${#missing[@]} packages: ${missing[*]}"
apt update
apt install --yes --no-install-recommends "${missing[@]}"
