#!/bin/sh
# Takes the place of Cargo to show the variables that it would be started with.
exec env -0
