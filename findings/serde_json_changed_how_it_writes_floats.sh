#!/usr/bin/env bash
# A patch release of serde_json changed the text of large floats, so it is the lock file that decides what is written.
#
# Versions: serde_json 1.0.145 and 1.0.149 (Rust).
# Behaviour: the first writes exponents without a sign, the second with one. Both are right JSON, but digests and signatures
# over the text differ, and a requirement of "1" takes either.
# Output seen:
#   1.0.145 [1e16,1.5e300,1e-7]
#   1.0.149 [1e+16,1.5e+300,1e-7]
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir src
cat > src/main.rs <<'RUST'
fn main() {
    println!("{}", serde_json::json!([1e16, 1.5e300, 1e-7]));
}
RUST
for version in 1.0.145 1.0.149; do
    cat > Cargo.toml <<TOML
[package]
name = "writer"
version = "0.1.0"
edition = "2021"
[dependencies]
serde_json = "=$version"
TOML
    rm -f Cargo.lock
    echo "$version $(CARGO_TARGET_DIR="$scratch/target" cargo run --quiet)" >> seen.txt
done

diff - seen.txt <<'OUT'
1.0.145 [1e16,1.5e300,1e-7]
1.0.149 [1e+16,1.5e+300,1e-7]
OUT
