# Sourced by the scripts beside it and by tests/packaging. Owns the cargo tools of packaging: pinned, and installed below
# target/ where they are not.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
export CARGO_TARGET_DIR=$PWD/target
tools=$CARGO_TARGET_DIR/packaging

# tool NAME VERSION: makes `cargo NAME-without-cargo-` available.
tool() {
    if ! [[ $("$tools/bin/$1" "${1#cargo-}" --version 2>/dev/null) == *"$2"* ||
        $("$tools/bin/$1" --version 2>/dev/null) == *"$2"* ]]; then
        CARGO_TARGET_DIR=$tools/build cargo install "$1" --version "$2" --locked --root "$tools" --quiet
    fi
    PATH=$tools/bin:$PATH
}
