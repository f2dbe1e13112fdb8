#!/bin/sh
# Compiles a crate of this workspace with the coverage instrumentation of libFuzzer. The flags are
# those of cargo-fuzz, and stable. Used as RUSTC_WORKSPACE_WRAPPER, it affects only crates of this
# workspace;
# the builds of dependencies are shared with the suites. There is no sanitizer, because core has no
# unsafe code.
exec "$@" \
    -Copt-level=3 -Ccodegen-units=1 \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
