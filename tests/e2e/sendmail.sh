#!/bin/sh
# What the broker takes for `sendmail`: keeps each mail as a file in $MAILBOX.
set -eu
part=$(mktemp "$MAILBOX/XXXXXXXXXX")
cat >"$part"
mv "$part" "$part.eml"
