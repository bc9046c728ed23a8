#!/usr/bin/env bash
# Reads exported Parquet files with two other programs, DuckDB and Apache Arrow, and compares every value with the
# lines of JSON of the same export. Needs cargo, python3 with venv and pip, and a package index that pip can reach.
set -euo pipefail
cd "$(dirname "$0")/../.."

# say WHAT IS MISSING: ends with 69, as for a service that cannot be used.
missing() {
    printf 'tests/tools/parquet.sh: %s\n' "$*" >&2
    exit 69
}

command -v cargo >/dev/null || missing "there is no cargo"
command -v python3 >/dev/null || missing "there is no python3"
python3 -c 'import venv, ensurepip' 2>/dev/null || missing "python3 has no venv or pip (on Debian: python3-venv)"

place=target/parquet-check
mkdir -p "$place"
python=$place/venv/bin/python
[ -x "$python" ] || python3 -m venv "$place/venv"
if ! "$python" -c 'import duckdb, pyarrow' 2>/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1 || missing "pip cannot install duckdb and pyarrow"
fi

cargo build --quiet --locked --workspace --bins
dir=$(mktemp -d)
simulator=
end() {
    [ -z "$simulator" ] || kill "$simulator" 2>/dev/null || true
    rm -rf "$dir"
}
trap end EXIT

# Three made-up tenants.
target/debug/alertferry-simulator --tenants 3 --alerts-per-tenant 400 --no-rate-limit --write-config "$dir/conf" >"$dir/simulator.log" 2>&1 &
simulator=$!
config=
for _ in $(seq 200); do
    config=$(find "$dir/conf" -name '*.toml' 2>/dev/null | head -n 1 || true)
    [ -n "$config" ] && grep -q http "$dir/simulator.log" && break
    sleep 0.1
done
[ -n "$config" ] || { cat "$dir/simulator.log" >&2 && exit 70; }
target/debug/alertferry --config "$config" sync >/dev/null 2>"$dir/sync.log" || { cat "$dir/sync.log" >&2 && exit 70; }
# Texts that are hard to carry: formulas, controls, NUL, other scripts, none, and four million letters.
"$python" - "$(find "$dir/conf" -name '*.db')" <<'END'
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
texts = ["=1+1", "\u202e\x1b[2J\r\n", "a\0b", "日本語 🦀", "", "x" * 4_000_000]
for key, text in enumerate(texts, 1):
    store.execute("UPDATE alert SET title = ? WHERE alert_key = ?", (text, key))
store.commit()
END
for what in alerts evidence changes; do
    for form in ndjson parquet; do
        target/debug/alertferry --config "$config" export "$what" --out "$dir/$what.$form"
    done
done
"$python" tests/tools/parquet.py "$dir"
