# Sourced by the scripts beside this directory. Owns what they need: pinned tools, and a store that is in use.
#
# Tools come from the Python package index into a directory below target/, in the versions that the list names. A script
# whose tools cannot be had because Python is missing says so and ends well; everything else that fails is a failure.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
place=$(mktemp -d)
children=()

# Ends what was started, the last one first, and takes the store away.
clean() {
    local at
    for ((at = ${#children[@]} - 1; at >= 0; at--)); do
        kill "${children[at]}" 2>/dev/null || true
        wait "${children[at]}" 2>/dev/null || true
    done
    rm -rf "$place"
}
trap clean EXIT

skip() {
    printf 'skipped: %s\n' "$*"
    exit 0
}

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# until_true SECONDS WHAT COMMAND…: waits until the command succeeds.
until_true() {
    local tries=$(($1 * 10)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || fail "$what did not come"
        sleep 0.1
    done
}

# tools NAME: the packages of support/NAME.txt, first on the path.
tools() {
    local list=tests/tools/support/$1.txt where=$target/tools/$1
    command -v python3 >/dev/null || skip "there is no python3"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip "python3 is older than 3.11"
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        skip "python3 has no venv and pip (Debian: apt-get install python3-venv)"
    python3 -c 'import sqlite3, sys; sys.exit(sqlite3.sqlite_version_info < (3, 38))' ||
        skip "the SQLite of python3 is older than 3.38"
    if ! cmp -s "$list" "$where/installed.txt"; then
        rm -rf "$where"
        python3 -m venv "$where"
        "$where/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$list" ||
            fail "the packages of $list cannot be installed"
        cp "$list" "$where/installed.txt"
    fi
    PATH=$where/bin:$PATH
}

# The store of four customers, filled from the simulator, with changes in it, and a daemon that has it open. Afterwards
# `alertferry` is a command that uses its configuration, and $place/alerts.db the store; no alert changes any more.
store_in_use() {
    cargo build --workspace --bins --locked --quiet
    mkdir "$place/bin"
    printf '#!/bin/sh\nexec "%s" --config "%s" "$@"\n' "$target/debug/alertferry" "$place/alertferry.toml" \
        >"$place/bin/alertferry"
    chmod +x "$place/bin/alertferry"
    PATH=$place/bin:$PATH
    "$target/debug/alertferry-simulator" --seed 7 --tenants 4 --alerts-per-tenant 60 --no-rate-limit --live --speed 600 \
        --write-config "$place" >"$place/simulator.log" 2>&1 &
    local simulator=$!
    children+=("$simulator")
    until_true 30 "the simulator" grep -q 'Ctrl-C' "$place/simulator.log"
    alertferry sync >"$place/sync.log" 2>&1 || fail "sync: $(cat "$place/sync.log")"
    "$target/debug/alertferry" --config "$place/alertferry.toml" run >"$place/daemon.log" 2>&1 &
    daemon=$!
    children+=("$daemon")
    until_true 30 "the daemon" grep -q daemon.ready "$place/daemon.log"
    until_true 180 "a changed alert" changed
    kill "$simulator"
    wait "$simulator" || true
    until_true 180 "the end of reading" settled
}

# Makes every tenant due, every other second at most: the daemon keeps the service's limit of a hundred calls a minute, and a
# slow machine polls for long.
poll() {
    if ((SECONDS > polled + 1)); then
        polled=$SECONDS
        kill -USR1 "$daemon"
    fi
}
polled=-2

changed() {
    poll
    [[ $(count "SELECT count(*) FROM alert_changes WHERE kind = 'updated'") -ge 5 ]]
}

# Whether every tenant was tried since the simulator went away, so that nothing comes any more.
settled() {
    poll
    [[ $(count "SELECT count(*) FROM tenants WHERE consecutive_failures = 0") -eq 0 ]]
}

# The one number that a query answers.
count() {
    alertferry query "$1" --format csv | tail -n 1 | tr -d '"'
}
