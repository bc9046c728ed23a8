# Sourced by install.sh, boot.sh and sandbox.sh. Owns how they end, which package they try, and fresh systems to try it in.
# shellcheck shell=bash

# shellcheck source=tests/tools/support/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tools/support/tools.sh"

# Ends with 69: what is asked for was not tried.
skip() {
    printf 'cannot run here: %s\n' "$*" >&2
    exit 69
}

fail() {
    tail -n 5 "$place"/*.log >&2 2>/dev/null || true
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

step() {
    printf -- '-- %s\n' "$*"
}

# needs COMMAND…
needs() {
    local need
    for need in "$@"; do
        command -v "$need" >/dev/null || skip "there is no $need"
    done
}

# the_package [PACKAGE]: the one that is named, or the newest below target/debian.
the_package() {
    local found=${1-}
    if [[ -z $found ]]; then
        found=$(find "$target/debian" -name 'alertferry_*.deb' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2)
    fi
    [[ -f $found ]] || fail "there is no package${1+ $1}; packaging/build-deb makes one"
    printf '%s\n' "$found"
}

# newer PACKAGE FILE: writes the same package as a version that comes after it.
newer() {
    dpkg-deb -R "$1" "$place/next"
    sed -i 's/^Version: .*/&+next/' "$place/next/DEBIAN/control"
    dpkg-deb --build --root-owner-group -Znone "$place/next" "$2" >/dev/null
    rm -rf "$place/next"
}

# fresh NAME PACKAGES: a Debian 12 below target/packaging with packages, separated by commas; made once, for copying. Sets
# $fresh.
fresh() {
    fresh=$target/packaging/$1
    [[ -e $fresh/complete && $(<"$fresh/complete") == "$2" ]] && return
    rm -rf "$fresh"
    debootstrap --variant=minbase --include="$2" bookworm "$fresh" >"$place/debootstrap.log" 2>&1 ||
        skip "debootstrap: $(tail -n 1 "$place/debootstrap.log")"
    printf '%s' "$2" >"$fresh/complete"
}
