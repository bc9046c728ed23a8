#!/usr/bin/env bash
# Replicates a store with the Litestream configuration of docs/cookbook.md while the daemon writes it, kills both, and
# compares what Litestream restores with the store.
set -euo pipefail
# shellcheck source=tests/tools/support/tools.sh
source "$(dirname "$0")/support/tools.sh"

tools litestream
store_in_use
# shellcheck disable=SC2016 # the marks of a block, and no command
sed -n '/^```yaml litestream$/,/^```$/p' docs/cookbook.md | grep -v '^```' |
    sed -e "s|/var/lib/alertferry|$place|" -e "s|url: s3://.*|path: $place/replica|" >"$place/litestream.yml"
grep -q "path: $place/replica" "$place/litestream.yml" || fail "the page has no configuration of Litestream"
litestream replicate -config "$place/litestream.yml" >"$place/litestream.log" 2>&1 &
litestream=$!
children+=("$litestream")
until_true 30 "Litestream's first copy" grep -q 'snapshot complete' "$place/litestream.log"

# More work for both: another world of the same customers, many alerts and changes.
"$target/debug/alertferry-simulator" --seed 7 --tenants 4 --alerts-per-tenant 250 --no-rate-limit --live --speed 600 \
    --write-config "$place" >"$place/simulator.log" 2>&1 &
children+=($!)
until_true 30 "the simulator" grep -q 'Ctrl-C' "$place/simulator.log"
kill -HUP "$daemon"
before=$(count "SELECT count(*) FROM alert_changes")
more() {
    poll
    [[ $(count "SELECT count(*) FROM alert_changes") -ge $((before + 200)) ]]
}
until_true 240 "more changes" more
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true

fingerprint() {
    sql="SELECT tenant_id, alert_id, last_update_time, raw FROM alerts ORDER BY 1, 2"
    python3 -c '
import hashlib, sqlite3, sys
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
rows = store.execute(sys.argv[2]).fetchall()
changes = store.execute("SELECT count(*), max(seq) FROM alert_changes").fetchone()
print(len(rows), *changes, hashlib.sha256(repr(rows).encode()).hexdigest())' "$1" "$sql"
}
restored() {
    rm -f "$place"/restored.db*
    litestream restore -config "$place/litestream.yml" -o "$place/restored.db" "$place/alerts.db" &&
        [[ $(fingerprint "$place/restored.db") == "$(fingerprint "$place/alerts.db")" ]]
}
until_true 30 "a replica that equals the store" restored
kill -KILL "$litestream"
wait "$litestream" 2>/dev/null || true
restored || fail "what is restored after both were killed is not the store"
printf 'restored, after both were killed: %s\n' "$(fingerprint "$place/restored.db")"
"$target/debug/alertferry" --config "$place/alertferry.toml" run >"$place/again.log" 2>&1 &
children+=($!)
until_true 30 "the daemon on a store that Litestream has used" grep -q daemon.ready "$place/again.log"
