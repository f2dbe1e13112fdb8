#!/usr/bin/env bash
# Runs two commands beside each other. Shows the output of the first one at the end, and fails if one
# of them fails.
#
#   scripts/beside.sh 'make broker' 'make test-python test-node'
set -uo pipefail
# Each command has its own process group, which is ended as a whole.
set -m

log=$(mktemp)
bash -c "$1" </dev/null >"$log" 2>&1 &
other=$!
trap 'kill -- "-$other" 2>/dev/null; wait 2>/dev/null; rm -f "$log"' EXIT

bash -c "$2"
status=$?
# Its output matters also if the second one has failed.
wait "$other" || status=$?
cat "$log"
exit "$status"
