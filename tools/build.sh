#!/bin/sh
# tools/build.sh [--probe]: builds what is stale into build/. One build at a time: later ones wait.
# All it says goes to standard error. Exit status: 0, or 125 when something could not be built.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")

probe=
for argument; do
    case $argument in
    --probe) probe=PROBE=1 ;;
    *)
        echo "pando: build takes no '$argument'; see ./pando build --help" >&2
        exit 125
        ;;
    esac
done

mkdir -p "$root/build" || exit 125
cd "$root" || exit 125
flock build/.lock make -j"$(nproc)" -s $probe >&2 && exit 0
echo "pando: the build failed" >&2
exit 125
