#!/usr/bin/env bash
# Runs Datasette with contrib/datasette/metadata.yaml over a store that a daemon has open, and looks at every page.
set -euo pipefail
# shellcheck source=tests/tools/support/tools.sh
source "$(dirname "$0")/support/tools.sh"

tools datasette
store_in_use
datasette serve "$place/alerts.db" --metadata contrib/datasette/metadata.yaml --port 0 \
    --setting sql_time_limit_ms 10000 --setting facet_time_limit_ms 2000 --setting truncate_cells_html 200 \
    >"$place/datasette.log" 2>&1 &
children+=($!)
address() {
    grep -o 'http://127.0.0.1:[0-9]*' "$place/datasette.log"
}
until_true 30 "Datasette" address
python3 tests/tools/support/pages.py "$(address | head -n 1)" contrib/datasette/metadata.yaml "$place/alerts.db" ||
    fail "a page; Datasette said: $(tail -n 30 "$place/datasette.log")"
