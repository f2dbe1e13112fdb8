#!/bin/sh
# Reports in one line which tools are missing, before a build fails with many lines.
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
CARGO=${CARGO:-cargo}

lacks() {
    echo "portier-client: $1" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Whether version $1 is at least version $2, both `major.minor`.
at_least() {
    [ "${1%%.*}" -gt "${2%%.*}" ] ||
        { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1#*.}" -ge "${2#*.}" ]; }
}

rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
has "$CARGO" || lacks "needs Rust $rust_needed or newer: install it from https://rustup.rs"
rust=$("$CARGO" --version | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
at_least "${rust:-0.0}" "$rust_needed" ||
    lacks "needs Rust $rust_needed or newer, found ${rust:-none}: run \`rustup update\`"

python_needed=3.11
has "$PYTHON" || lacks "needs Python $python_needed or newer: install it, or name one with PYTHON=…"
python=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)
at_least "${python:-0.0}" "$python_needed" ||
    lacks "needs Python $python_needed or newer, found ${python:-none}: name another with PYTHON=…"
"$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
    lacks "Python $python has no venv module: on Debian, \`apt install python3-venv\`"

has "${CC:-cc}" || has gcc || has clang ||
    lacks "needs a C compiler for the cryptography: on Debian, \`apt install gcc libc6-dev\`"

[ "${1:-}" = node ] || exit 0

NODE=${NODE:-node}
node_needed=20.19
has "$NODE" || lacks "needs Node $node_needed or newer: install it from https://nodejs.org"
node=$("$NODE" --version | sed -n 's/^v\([0-9]*\.[0-9]*\).*/\1/p')
at_least "${node:-0.0}" "$node_needed" ||
    lacks "needs Node $node_needed or newer, found ${node:-none}: name another with NODE=…"
has "${NPM:-npm}" || lacks "needs npm, which comes with Node: on Debian, \`apt install npm\`"
