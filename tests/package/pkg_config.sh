#!/bin/sh
# tests/package/pkg_config.sh - builds and runs a consumer the way a Makefile would.
# Usage: pkg_config.sh main.cpp program compiler [flags]     with PKG_CONFIG_PATH set
set -eu

main=$1
program=$2
shift 2

# The run path is for an installed library that is shared. What pkg-config prints is a list of words.
# shellcheck disable=SC2046
"$@" "$main" -o "$program" $(pkg-config --cflags --libs taskscope) \
    -Wl,-rpath,"$(pkg-config --variable=libdir taskscope)"
exec "$program"
