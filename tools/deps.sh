#!/bin/sh
# tools/deps.sh GROUP...: sees to it that the Debian packages of these groups are there.
# What is missing is installed with apt-get, after saying what, when we are root or sudo asks for no
# password; else the command to type is printed. Exit status: 0 when all is there, else 125.
set -u

# A line for each package: group, package, and a file or a command that shows that it is there.
packages() {
    cat <<'END'
build gcc gcc
build libc6-dev /usr/include/stdio.h
build make make
build musl-tools musl-gcc
build binutils objcopy
build python3 /usr/bin/python3
run qemu-system-x86 qemu-system-x86_64
image grub-common grub-mkrescue
image grub-pc-bin /usr/lib/grub/i386-pc/modinfo.sh
image grub-efi-amd64-bin /usr/lib/grub/x86_64-efi/modinfo.sh
image xorriso xorriso
image mtools mformat
uefi ovmf /usr/share/OVMF/OVMF_CODE_4M.fd
debug gdb gdb
test python3-pytest /usr/lib/python3/dist-packages/pytest/__init__.py
test python3-pexpect /usr/lib/python3/dist-packages/pexpect/__init__.py
test libcmocka-dev /usr/include/cmocka.h
test spin spin
test cpio cpio
END
}

present() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Prints the packages of the groups in $1 that are missing.
missing_packages() {
    packages | while read -r group package sign; do
        case " $1 " in
        *" $group "*) present "$sign" || printf ' %s' "$package" ;;
        esac
    done
}

# Runs apt-get as root, quietly: what it says is shown only if it fails.
apt() {
    $become_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "$@" >>"$log" 2>&1 </dev/null
}

package_lists_exist() {
    for list in /var/lib/apt/lists/*Packages*; do
        [ -e "$list" ] && return 0
    done
    return 1
}

# Installs the packages named; reads fresh package lists first when there are none, and once more
# when the ones there are do not do.
install_packages() {
    if ! package_lists_exist; then
        apt update
        apt install --no-install-recommends "$@"
        return
    fi
    apt install --no-install-recommends "$@" || {
        apt update
        apt install --no-install-recommends "$@"
    }
}

PATH=$PATH:/usr/sbin:/sbin
missing=$(missing_packages "$*")
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "pando: these Debian packages are missing, and there is no apt-get here:$missing" >&2
    exit 125
fi
if [ "$(id -u)" -eq 0 ]; then
    become_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    become_root="sudo -n"
else
    echo "pando: some packages are missing; type this, then try again:" >&2
    if command -v sudo >/dev/null 2>&1; then
        as_root="sudo sh -c"
    else
        as_root="su -c"
    fi
    echo "    $as_root 'apt-get update && apt-get install -y --no-install-recommends$missing'" >&2
    exit 125
fi

echo "pando: installing with apt-get:$missing" >&2
log=$(mktemp) || exit 125
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
install_packages $missing || cat "$log" >&2
missing=$(missing_packages "$*")
[ -n "$missing" ] || exit 0
echo "pando: these packages could not be installed:$missing" >&2
exit 125
