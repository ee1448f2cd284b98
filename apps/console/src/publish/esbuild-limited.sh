#!/bin/sh
# esbuild in an address space of its own size: a source of a few lines can make it fold constants into
# gigabytes. About 700 MiB of it are only reserved, by Go's memory management. Where a system has no such limit (macOS), it runs without. Its dumps after a crash are
# hundreds of lines that a tenant could fill our log with.
ulimit -v "${SOCKLET_ESBUILD_KIB:-1572864}" 2>/dev/null
# It is told to ask every second whether anybody is still there, for which Go wakes 60 times a second. It ends with its standard input anyway.
for option do
  shift
  [ "$option" = --ping ] || set -- "$@" "$option"
done
exec "$SOCKLET_ESBUILD" "$@" 2>/dev/null
