#!/usr/bin/env bash
# How long the sources of an update take, with archives and index at hand:
#
#   benches/sources.sh BASE.lock HEAD.lock DAY [DIRECTORY]
#
# DAY is the day of judgement, such as 2024-07-11T10:00:00Z. Runs three times without
# what was found before, and three times with it; says how much was unpacked. Needs a
# network the first time, GNU time, and jq. What is downloaded stays in DIRECTORY.
set -euo pipefail
base="$(realpath "$1")" head="$(realpath "$2")" day="$3"
cd "$(dirname "$0")/.."

cache="${4:-target/sources}"
mkdir -p "$cache"
cargo build --quiet --release
check() {
  target/release/cargo-canary check --base "$base" --head "$head" --as-of "$day" \
    --cache "$cache" --no-progress "$@"
}

check --format json >"$cache/report.json" || true
jq --raw-output '[.changes[] | select(.source)] | "\(length) updates with sources"' "$cache/report.json"
find "$cache/crates" -type f -exec gzip --decompress --stdout {} + | wc --bytes |
  awk '{ printf "%.0f MB unpacked, all releases in the directory\n", $1 / 1e6 }'

# A verdict other than pass is no failure.
measure() {
  /usr/bin/time --format "$1: %e s, %M kB" -- target/release/cargo-canary check \
    --base "$base" --head "$head" --as-of "$day" --cache "$cache" --no-progress \
    --locked-data 2>&1 >/dev/null | tail --lines 1 || true
}
# Nothing is kept where only what is at hand may be used.
for _ in 1 2 3; do
  rm -rf "$cache/source"
  measure "compared"
done
check >/dev/null 2>&1 || true
for _ in 1 2 3; do
  measure "from what was found before"
done
