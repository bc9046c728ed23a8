#!/usr/bin/env bash
# Runs Prometheus's own tool over what a running daemon gives and over the alert rules: the metrics are well named, the
# rules are valid, each fires when it should, and their tests would notice if one did not.
set -euo pipefail
# shellcheck source=tests/tools/support/tools.sh
source "$(dirname "$0")/support/tools.sh"

if ! command -v promtool >/dev/null; then
    printf 'skipped: there is no promtool (Debian: apt-get install prometheus)\n'
    exit 69
fi
rules=contrib/prometheus/alertferry.rules.yml
tests=contrib/prometheus/alertferry.rules.test.yml
promtool check rules "$rules"
promtool test rules "$tests"

# A rule that never fires is noticed.
cp "$rules" "$tests" "$place/"
mapfile -t names < <(sed -n 's/^      - alert: //p' "$rules")
for name in "${names[@]}"; do
    awk -v name="$name" '
        /- alert: / { inside = $3 == name }
        inside && /^        expr: \|/ { print "        expr: vector(0) > 1"; skipping = 1; next }
        inside && /^        expr: / { print "        expr: vector(0) > 1"; next }
        skipping && /^          / { next }
        { skipping = 0; print }' "$rules" >"$place/alertferry.rules.yml"
    if promtool test rules "$place/alertferry.rules.test.yml" >/dev/null 2>&1; then
        fail "no test notices when $name never fires"
    fi
done

# Where monitoring systems ask comes from a file beside the one that the simulator wrote.
mkdir "$place/conf.d"
printf '[admin]\nlisten = "unix:%s"\n' "$place/admin.sock" >"$place/conf.d/admin.toml"
store_in_use
python3 - "$place/admin.sock" >"$place/metrics.txt" <<'PYTHON'
import socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect(sys.argv[1])
asked.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\n")
answer = b"".join(iter(lambda: asked.recv(65536), b""))
head, body = answer.split(b"\r\n\r\n", 1)
assert head.startswith(b"HTTP/1.1 200 "), head
sys.stdout.buffer.write(body)
PYTHON
promtool check metrics <"$place/metrics.txt"
printf 'metrics: %s series, rules: %s\n' "$(grep -vc '^#' "$place/metrics.txt")" "$(grep -c 'alert: ' "$rules")"
