#!/usr/bin/env bash
# Runs the crate's suites with LeakSanitizer, which fails a test binary that has lost memory when it
# ends. Memory that is still reachable is not lost.
#
#   scripts/leaks.sh [arguments of cargo test]
set -euo pipefail
cd "$(dirname "$0")/.."

host=$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')
# The runtime comes with every toolchain; only the flag that links it is not stable.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=leak ${RUSTFLAGS:-}"
exec "${CARGO:-cargo}" test --locked -p portier-client --all-features --lib --tests \
    --target "$host" --target-dir target/leaks "$@"
