#!/bin/sh
# tools/qemu.sh FOLDER: unpacks the QEMU of the distribution's backports into FOLDER, for this user
# alone and without installing it. The package source is the system's own entry for the distribution
# with the suite's name changed. Two at once do no harm: the second waits and finds it done.
# Needs the distribution's qemu-system-x86 installed, which brings the same shared libraries.
# Exit status: 0 when FOLDER holds a QEMU that runs; else 1, with reasons on standard error, and
# FOLDER is not made.
set -u
folder=$1
binary=usr/bin/qemu-system-x86_64

fail() {
    echo "qemu.sh: $*" >&2
    exit 1
}

# Finds the system's package-source entries for the suite $1, in either format, and rewrites them
# for $1-backports in the folder $2. Among them may be some of third parties without such a suite.
backports_entries() {
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -r "$list" ] || cat "$list"
        echo
    done | awk -v suite="$1" '$1 == "deb" {
        for (i = 2; i <= NF; i++)
            if ($i == suite && $(i - 1) ~ /:/) { $i = suite "-backports"; print; next }
    }' >"$2/backports.list"
    for list in /etc/apt/sources.list.d/*.sources; do
        [ ! -r "$list" ] || grep -v '^#' "$list"
        echo
    done | awk -v suite="$1" 'BEGIN { RS = ""; FS = "\n" }
        /(^|\n)Enabled:[ \t]*no/ || !/(^|\n)Types:([^\n]*[ \t])?deb([ \t\n]|$)/ { next }
        $0 !~ "(^|\n)Suites:([^\n]*[ \t])?" suite "([ \t\n]|$)" { next }
        {
            for (i = 1; i <= NF; i++) {
                sub(/^Types:.*/, "Types: deb", $i)
                sub(/^Suites:.*/, "Suites: " suite "-backports", $i)
                print $i
            }
            print ""
        }' >"$2/backports.sources"
}

# apt-get with package lists and a cache of its own in $work, usable by any user.
private_apt() {
    apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/entries" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

runs() {
    QEMU_MODULE_DIR=/nonexistent "$1/$binary" --version >/dev/null
}

mkdir -p "$(dirname -- "$folder")" || exit 1
exec 9>"$folder.lock" || exit 1
flock 9
[ -x "$folder/$binary" ] && runs "$folder" && exit 0

command -v apt-get >/dev/null 2>&1 || fail "there is no apt-get here"
# shellcheck disable=SC1091
suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
[ -n "$suite" ] || fail "/etc/os-release names no distribution"

work=$(mktemp -d "$folder.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/entries" "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" \
    "$work/root"
backports_entries "$suite" "$work/entries"
[ -n "$(cat "$work/entries/"*)" ] || fail "apt has no entry for $suite"
private_apt update # what counts is whether the packages can be had from any of the entries
(cd "$work/debs" && private_apt download qemu-system-x86 qemu-system-data seabios) ||
    fail "the packages of $suite-backports could not be had"
for package in "$work"/debs/*.deb; do
    dpkg -x "$package" "$work/root" || fail "$package could not be unpacked"
done
runs "$work/root" || fail "the QEMU unpacked does not run here"
rm -rf "$folder"
mv "$work/root" "$folder"
