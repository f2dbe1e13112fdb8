#!/bin/sh
# Installs the Portier broker for the end-to-end tests into .tools, unless it is there.
set -eu
cd "$(dirname "$0")/.."

CARGO=${CARGO:-cargo}
version=0.15.1
binary=.tools/bin/portier-broker
# The program needs these folders of its source, which `cargo install` does not copy.
data=.tools/portier-broker
folders='tmpl res lang'

is_there() {
    [ "$("$binary" --version 2>/dev/null)" = "$version" ] || return 1
    for folder in $folders; do
        [ -d "$data/$folder" ] || return 1
    done
}

! is_there || exit 0

printf '\n==> Installing portier-broker %s into .tools; the first time takes some minutes\n' "$version"
# It compiles faster without debug information, and with less work in one unit for each crate.
CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_CODEGEN_UNITS=1 CARGO_INCREMENTAL=0 "$CARGO" install --locked --quiet --debug --force \
    --root .tools --target-dir target/tools "portier_broker@$version"

# Each registry or mirror has its own folder in there.
rm -rf "$data.part" "$data"
for source in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"portier_broker-$version"; do
    [ -d "$source/tmpl" ] || continue
    mkdir "$data.part"
    for folder in $folders; do
        cp -R "$source/$folder" "$data.part/"
    done
    mv "$data.part" "$data"
    break
done

is_there || {
    echo "portier-client: found no source of portier_broker $version to take $folders from" >&2
    exit 1
}
# A gigabyte that is not needed after the installation.
rm -rf target/tools
