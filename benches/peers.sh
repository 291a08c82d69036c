#!/usr/bin/env bash
# Whole processes against their peers, in turn, as ratios of one run:
#
#   benches/peers.sh [DIRECTORY]
#
# A verdict on two lock files against two runs of `cargo audit --no-fetch`, and a
# verdict on the full graph of two versions of a published workspace against the two
# runs of `cargo metadata` that Cargo would need. It needs a network the first time,
# hyperfine, jq, curl, and cargo-audit; ADVISORY_DB names a checkout of RustSec's
# database (by default the one that `cargo audit` keeps). What is made and
# downloaded stays in DIRECTORY.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch="${1:-target/peers}"
mkdir -p "$scratch"
scratch="$(cd "$scratch" && pwd)"
cargo build --quiet --release
canary="$PWD/target/release/cargo-canary"
rustc --edition 2024 -O -o "$scratch/write" benches/made/write.rs
database="${ADVISORY_DB:-${CARGO_HOME:-$HOME/.cargo}/advisory-db}"
audit="$(command -v cargo-audit)"
# Two versions of one workspace, of 722 and 802 packages.
name=nu versions=(0.110.0 0.116.1)

# Times of A and B, in turn, and their ratio; verdicts other than pass are no failure.
compare() {
  local title="$1" ours="$2" theirs="$3"
  hyperfine --ignore-failure --style none --shell none --warmup 2 --runs 20 \
    --export-json "$scratch/times.json" "$ours" "$theirs" >/dev/null 2>&1
  jq --raw-output --arg title "$title" '
    [.results[].median * 1000] as [$a, $b]
    | "\($title): \($a * 10 | round / 10) ms, \($b * 10 | round / 10) ms, ratio \($a / $b * 1000 | round / 1000)"
  ' "$scratch/times.json"
}

# A command of several, as one file.
script() {
  printf '#!/bin/sh\n%s\n' "$2" >"$scratch/$1"
  chmod +x "$scratch/$1"
}

for packages in 1100 10000; do
  pair="$scratch/pair-$packages"
  "$scratch/write" "$packages" "$pair" "$pair/home"
  export CARGO_HOME="$pair/home"
  script ours "exec $canary check --base $pair/before.lock --head $pair/after.lock --graph lock-only --offline --cache $pair/cache --output $pair/report.txt"
  script theirs "for lock in before after; do $audit audit --no-fetch --stale --db $database --file $pair/\$lock.lock >/dev/null 2>&1; done; true"
  script bare "for lock in before after; do $audit audit --no-fetch --stale --no-yanked --db $database --file $pair/\$lock.lock >/dev/null 2>&1; done; true"
  compare "verdict on lock files of $packages packages, two cargo audit" "$scratch/ours" "$scratch/theirs"
  compare "the same, two cargo audit --no-yanked" "$scratch/ours" "$scratch/bare"
done

export CARGO_HOME="$scratch/home"
for version in "${versions[@]}"; do
  folder="$scratch/$name-$version"
  if [ ! -d "$folder" ]; then
    curl --silent --show-error --fail --location --output "$folder.crate" \
      "https://static.crates.io/crates/$name/$name-$version.crate"
    tar --extract --gzip --file "$folder.crate" --directory "$scratch"
    rm -rf "$folder/rust-toolchain.toml" "$folder/.cargo"
    cargo fetch --quiet --locked --manifest-path "$folder/Cargo.toml"
  fi
done
before="$scratch/$name-${versions[0]}" after="$scratch/$name-${versions[1]}"
verdict="$canary check --base $before --head $after --cache $scratch/cache --output $scratch/report.txt"
# Fetches what the caches do not have yet.
$verdict --no-progress || true
script ours "exec $verdict --offline"
script theirs "for folder in $before $after; do cargo metadata --locked --offline --format-version 1 --manifest-path \$folder/Cargo.toml >/dev/null; done"
compare "full graph and verdict of $name ${versions[*]}, two cargo metadata" "$scratch/ours" "$scratch/theirs"
