#!/bin/sh
# Puts the Portier broker that the end-to-end tests talk to into .tools, unless it is there.
set -eu
cd "$(dirname "$0")/.."

CARGO=${CARGO:-cargo}
version=0.15.1
binary=.tools/bin/portier-broker
# The program stops without these folders of its source, which `cargo install` leaves behind.
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
# Nobody debugs it here, and without what debuggers need it is compiled sooner.
CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 "$CARGO" install --locked --debug --force --root .tools --target-dir target/tools \
    "portier_broker@$version"

# Each registry or mirror has a folder of its own in there.
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
# A gigabyte that nobody needs once the program is there.
rm -rf target/tools
