#!/usr/bin/env bash
# Runs every block of docs/cookbook.md that is marked as `run`, over a store that a daemon has open. A block whose programs
# are not installed is named and left out.
set -euo pipefail
# shellcheck source=tests/tools/support/tools.sh
source "$(dirname "$0")/support/tools.sh"

# Whether a program, a Python package, or a command of alertferry is there.
have() {
    type -P "$1" >/dev/null || python3 -c "import $1" 2>/dev/null || alertferry "$1" --help >/dev/null 2>&1
}

# Runs a block with the paths of the page moved to this store; what it says goes to the file `said`.
run_block() {
    local file=$1
    sed -i -e "s|/var/lib/alertferry|$place|g" -e "s|/var/backups/alertferry|$place/backups|g" \
        -e "s|/var/log/alertferry|$place/logs|g" "$file"
    case $file in
        *.sh) (cd "$place/work" && bash -euo pipefail "$file") ;;
        *.python) (cd "$place/work" && python3 "$file") ;;
        *.text) ship "$file" ;;
        *) fail "nobody runs $file" ;;
    esac >"$place/said" 2>"$place/complaints" || fail "$file: $(cat "$file" "$place/said" "$place/complaints")"
    [[ -s $place/said ]] || fail "$file found nothing: $(cat "$file" "$place/complaints")"
}

# Sends the daemon's log through rsyslog: every line must arrive whole, in the right file of the two.
ship() {
    (cd "$place/work" && exec rsyslogd -n -f "$1" -i "$place/rsyslogd.pid") &
    children+=($!)
    # Without the last line, which may not be whole yet.
    sed '$d' "$place/daemon.log" >"$place/logs/events.jsonl"
    local tries=300
    until [[ $(cat "$place"/logs/{alerts,daemon}.jsonl 2>/dev/null | wc -l) -ge $(wc -l <"$place/logs/events.jsonl") ]]; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
    diff <(grep '"event":"alert\.' "$place/logs/events.jsonl") "$place/logs/alerts.jsonl" &&
        diff <(grep -v '"event":"alert\.' "$place/logs/events.jsonl") "$place/logs/daemon.jsonl" &&
        wc -l "$place"/logs/*.jsonl
}

tools cookbook
store_in_use
mkdir "$place"/{blocks,work,backups,logs}
count=$(python3 tests/tools/support/recipes.py docs/cookbook.md "$place/blocks")
export RESTIC_REPOSITORY=$place/restic RESTIC_PASSWORD=rehearsal RESTIC_CACHE_DIR=$place/cache
if have restic; then
    restic init --quiet
fi
ran=0
for needs in "$place"/blocks/*.needs; do
    block=$(ls "${needs%.needs}".[!n]*)
    absent=
    read -ra needed <"$needs" || true
    for need in "${needed[@]}"; do
        have "$need" || absent+=" $need"
    done
    if [[ $absent ]]; then
        printf 'not run, there is no%s: %s\n' "$absent" "$(head -n 1 "$block")"
        continue
    fi
    run_block "$block"
    ran=$((ran + 1))
done
((ran >= 3)) || fail "only $ran of $count blocks were run"
printf '%d of %d blocks were run and found something\n' "$ran" "$count"
