#!/bin/sh
# Compiles a crate of this workspace so that libFuzzer sees which ways are taken; the flags are those
# of cargo-fuzz, and stable. As RUSTC_WORKSPACE_WRAPPER it leaves the crates of others as they are:
# their builds are shared with the suites, and the fuzzer looks for ways through ours. No sanitizer:
# core has no unsafe code.
exec "$@" \
    -Copt-level=3 -Ccodegen-units=1 \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
