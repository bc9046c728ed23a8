#!/usr/bin/env bash
# Runs inside the system that boot.sh makes, started by its process 1: everything systemd does with the package. Ends with
# the machine switched off, after a line that says how it went.
set -uo pipefail
exec >/dev/ttyS1 2>&1 </dev/null
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER='' SYSTEMD_COLORS=0
cd /trial || exit 1
# How many times slower than usual this machine is.
patience=$(<patience)

fail() {
    journalctl --no-pager -n 30 -o cat
    systemctl status alertferry --no-pager -n 0
    for what in "'since $since, now ' || unixepoch() AS times" 'count(*) FROM alerts' '* FROM tenants' '* FROM gaps' '* FROM passes'; do
        as alice alertferry query "SELECT $what" --format json
    done
    printf 'FAILED: %s\n' "$*"
    over
}
over() {
    sync
    systemctl --no-block --job-mode=replace-irreversibly start poweroff.target
    exit
}
step() {
    printf -- '-- %s\n' "$*"
}
# until_true SECONDS WHAT COMMAND…
until_true() {
    local end=$((SECONDS + $1 * patience)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "$what did not come"
        sleep 0.2
    done
}
# is PROPERTY VALUE [UNIT]: what systemd knows of a unit.
is() {
    [[ $(systemctl show -P "$1" "${3:-alertferry.service}") == "$2" ]]
}
must() {
    is "$@" || fail "$1 of ${3:-alertferry.service} is $(systemctl show -P "$1" "${3:-alertferry.service}"), not $2"
}
# as USER COMMAND…: as somebody with all of his groups, and nothing of the daemon's.
as() {
    local user=$1
    shift
    setpriv --reuid "$user" --regid "$user" --init-groups --reset-env "$@"
}
asked() {
    as alice alertferry query "$1" --format csv 2>/trial/asked.log | tail -n 1 | tr -d '"'
}
# The lines of the daemon since it was last started.
lines() {
    journalctl --no-pager -o cat "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID alertferry.service)"
}
says() {
    lines | grep -q "\"event\":\"$1\""
}
# reads: every alert there was at the beginning is in the store, and every tenant is well.
# shellcheck disable=SC2317 # until_true calls it
reads() {
    [[ $(asked 'SELECT count(*) FROM alerts') -ge 180 ]] && well
}
well() {
    [[ $(asked "SELECT count(*) FROM tenants WHERE state = 'ok' AND unixepoch(last_success_at) >= $since") == 3 ]]
}
# The reader's ways, which work whether a daemon runs, was stopped or was killed.
group_reads() {
    local found
    found=$(asked 'SELECT count(*) FROM alerts')
    [[ $found -ge 180 ]] || fail "alice of the group sees '$found' alerts ($1): $(</trial/asked.log)"
    found=$(as alice sqlite3 'file:/var/lib/alertferry/alerts.db?mode=ro' 'SELECT count(*) FROM alerts' 2>&1)
    [[ $found -ge 180 ]] || fail "sqlite3 shows alice '$found' ($1)"
    [[ $(as alice sqlite3 'file:/var/lib/alertferry/alerts.db?mode=ro' 'PRAGMA quick_check' 2>&1) == ok ]] || fail "the store is damaged ($1)"
    ! as mallory alertferry query 'SELECT 1' >/dev/null 2>&1 || fail "somebody outside of the group may ask ($1)"
    ! as mallory sqlite3 'file:/var/lib/alertferry/alerts.db?mode=ro' 'SELECT 1 FROM alerts' >/dev/null 2>&1 ||
        fail "somebody outside of the group may read ($1)"
}
# simulator LISTEN SECRET: another authority each time.
simulator() {
    systemctl stop simulator
    rm -rf config authority.pem
    printf 'LISTEN=%s\nSECRET=%s\n' "$1" "$2" >simulator.env
    systemctl start simulator
    until_true 60 "the simulator" test -s config/alertferry.toml
    install -m 640 -g alertferry authority.pem /etc/alertferry/authority.pem
    sed -e 's|^path = .*|path = "/var/lib/alertferry/alerts.db"|' -e 's|^ca_file = .*|ca_file = "/etc/alertferry/authority.pem"|' \
        -e 's|^secret = .*|secret = { credential = "alertferry.client-secret" }\nallow_custom_hosts = true|' \
        -e 's|^schedule = .*|schedule = "@daily"|' config/alertferry.toml >alertferry.toml
    printf '\n[retention]\ndefault = "730d"\n' >>alertferry.toml
    install -m 640 -g alertferry alertferry.toml /etc/alertferry/alertferry.toml
}
secret() {
    printf '%s' "$1" | install -m 600 /dev/stdin /etc/credstore/alertferry.client-secret
}
# drop_in NAME LINE…: lines of [Service].
drop_in() {
    mkdir -p /etc/systemd/system/alertferry.service.d
    printf '%s\n' '[Service]' "${@:2}" >"/etc/systemd/system/alertferry.service.d/$1.conf"
    systemctl daemon-reload
}
no_drop_in() {
    rm "/etc/systemd/system/alertferry.service.d/$1.conf"
    systemctl daemon-reload
}
# Starts it anew and makes every tenant due.
restart() {
    since=$(date +%s)
    systemctl restart alertferry || fail "it cannot be restarted"
    systemctl kill -s SIGUSR1 --kill-who=main alertferry
}
since=0

first_boot() {
    step "install"
    [[ $(</proc/1/comm) == systemd && $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]] || fail "this is no system to try it in"
    dpkg -i first.deb >install.log || fail "dpkg -i"
    must ActiveState inactive
    must ConditionResult no
    must UnitFileState enabled
    must UnitFileState disabled alertferry-sync.timer
    must UnitFileState disabled alertferry-prune.timer
    [[ -d /usr/lib/alertferry/rootfs && $(stat -c '%a %U %G' /etc/alertferry) == '750 root alertferry' ]] || fail "no directories"
    useradd --create-home --groups alertferry alice
    useradd --create-home mallory

    step "a wrong configuration is tried once"
    install -m 640 -g alertferry /dev/stdin /etc/alertferry/alertferry.toml <<<'[store]
pathh = "x"'
    secret first
    ! systemctl start alertferry 2>/dev/null || fail "it starts with a wrong configuration"
    sleep 8
    must ActiveState failed
    must ExecMainStatus 78
    must NRestarts 0
    lines | grep -q pathh || fail "the journal does not say what is wrong"

    step "start"
    simulator 127.0.0.1:8443 first
    restart
    must ActiveState active
    must Type notify
    says daemon.ready || fail "systemd took it for ready before it was"
    until_true 120 "alerts" reads
    must NRestarts 0
    [[ $(stat -c '%a %U %G' /var/lib/alertferry /var/lib/alertferry/alerts.db | tr '\n' ' ') == \
        '750 alertferry alertferry 640 alertferry alertferry ' ]] || fail "the store has other modes"
    says tenant.state_changed || fail "the journal has no tenants"
    group_reads running

    step "check by hand, as root"
    # The time of the simulated service runs away, and that alone may be wrong.
    alertferry check >check.log 2>&1 || true
    grep -q 'looked through, and whole' check.log || fail "check: $(<check.log)"
    ! grep '^ *FAIL ' check.log | grep -v ' clock ' || fail "check: $(<check.log)"
    foreign=$(find /var/lib/alertferry ! -user alertferry -o ! -group alertferry)
    [[ -z $foreign ]] || fail "check left files of root: $foreign"
    must ActiveState active

    step "the sandbox is in force"
    confined

    step "reload"
    sed -i 's/^name = "Simulated 1"/name = "Another name"/' /etc/alertferry/alertferry.toml
    systemctl reload alertferry || fail "systemctl reload"
    until_true 30 "config.reloaded" says config.reloaded
    printf 'wrong = 1\n' >>/etc/alertferry/alertferry.toml
    systemctl reload alertferry || fail "systemctl reload"
    until_true 30 "config.rejected" says config.rejected
    must ActiveState active
    sed -i '/^wrong = 1$/d' /etc/alertferry/alertferry.toml

    step "SIGUSR1"
    since=$(($(date +%s) + 1))
    sleep 2
    ! well || fail "tenants are read though none is due"
    systemctl kill -s SIGUSR1 --kill-who=main alertferry
    until_true 60 "a reading of every tenant" well
    until_true 30 "a new alert in the journal" says alert.created

    step "a daemon that hangs is restarted"
    drop_in watchdog "WatchdogSec=$((6 * patience))s" TimeoutAbortSec=3s
    restart
    until_true 60 "readings" well
    sleep $((14 * patience))
    must NRestarts 0
    hung=$(systemctl show -P MainPID alertferry)
    kill -STOP "$hung"
    until_true 60 "a restart by the watchdog" is NRestarts 1
    until_true 60 "an active daemon" is ActiveState active
    journalctl -u alertferry --no-pager -o cat | grep -q 'Watchdog timeout' || fail "it was not the watchdog"
    [[ $(systemctl show -P MainPID alertferry) != "$hung" ]] || fail "it is the old one"
    group_reads "after the watchdog"
    no_drop_in watchdog

    step "kill -9"
    systemctl kill -s SIGKILL --kill-who=main alertferry
    until_true 60 "a restart" is NRestarts 2
    until_true 60 "an active daemon" is ActiveState active
    drop_in once Restart=no
    systemctl kill -s SIGKILL --kill-who=main alertferry
    until_true 60 "its end" is ActiveState failed
    [[ -e /var/lib/alertferry/alerts.db-wal ]] || fail "it was not killed"
    group_reads killed
    no_drop_in once

    step "stop"
    restart
    until_true 60 "readings" well
    systemctl stop alertferry || fail "systemctl stop"
    must ActiveState inactive
    must Result success
    must ExecMainStatus 0
    says daemon.stopped || fail "it did not come to its end by itself"
    group_reads stopped

    step "single runs"
    systemctl start alertferry-sync || fail "the single run fails"
    must ExecMainStatus 0 alertferry-sync.service
    systemctl start alertferry-sync.timer alertferry-prune.timer
    for timer in alertferry-sync.timer alertferry-prune.timer; do
        must ActiveState active "$timer"
        [[ -n $(systemctl show -P NextElapseUSecRealtime "$timer") ]] || fail "$timer elapses never"
    done
    systemctl stop alertferry-sync.timer alertferry-prune.timer
    systemctl start alertferry
    systemctl start alertferry-prune || fail "retention beside the daemon fails"
    ! systemctl start alertferry-sync 2>/dev/null || fail "a single run takes the store from the daemon"
    must ExecMainStatus 75 alertferry-sync.service

    step "a service at a private address, with a new secret and a new authority"
    ip address add 10.9.8.7/32 dev lo
    simulator 10.9.8.7:8443 second
    restart
    until_true 120 "the end of three tries" tried
    [[ $(asked "SELECT count(*) FROM tenants WHERE state = 'ok' OR reason LIKE '%refused%'") == 0 ]] || fail "it gets to private addresses"
    drop_in address IPAddressAllow=10.9.8.7
    restart
    until_true 120 "app.refused, for the old secret" says app.refused
    secret second
    restart
    until_true 120 "readings with the new secret" well

    printf 'to be booted again\n'
    over
}

# shellcheck disable=SC2317 # until_true calls it
tried() {
    [[ $(asked "SELECT count(*) FROM tenants WHERE unixepoch(last_attempt_at) >= $since AND state <> 'ok'") == 3 ]]
}

# What the unit forbids, as the kernel has it.
confined() {
    local pid seen status exposure
    pid=$(systemctl show -P MainPID alertferry)
    seen=/proc/$pid/root
    status=$(tr -s '\t' ' ' <"/proc/$pid/status")
    for line in 'NoNewPrivs: 1' 'Seccomp: 2' 'CapEff: 0000000000000000' 'CapBnd: 0000000000000000' 'VmSwap: 0 kB'; do
        grep -qx "$line" <<<"$status" || fail "not '$line' but '$(grep "^${line%%:*}" <<<"$status")'"
    done
    for kind in mnt user ipc uts; do
        [[ $(readlink "/proc/$pid/ns/$kind") != "$(readlink "/proc/1/ns/$kind")" ]] || fail "it has the machine's $kind namespace"
    done
    [[ -e $seen/usr/bin/alertferry ]] || fail "its root cannot be looked at"
    [[ $(ls "$seen/home" 2>/dev/null) == '' && ! -e $seen/trial && ! -e $seen/etc/shadow ]] || fail "it sees the machine's files"
    [[ ! -e $seen/etc/credstore ]] || fail "it sees all secrets"
    exposure=$(systemd-analyze security --no-pager --threshold=9 alertferry.service 2>&1) || fail "$(tail -n 1 <<<"$exposure")"
    tail -n 1 <<<"$exposure"
}

# A store of an earlier program on a disk whose flushes take long: the start has less time than the migration needs, and
# comes to its end because it asks for more.
a_long_migration() {
    systemctl stop alertferry
    mkdir aside
    mv /var/lib/alertferry/alerts.db* aside/
    { printf 'PRAGMA journal_mode = wal;\n' && cat schema-2.sql; } >earlier.sql
    (umask 0027 && as alertferry sqlite3 /var/lib/alertferry/alerts.db <earlier.sql >/dev/null) || fail "no store of the second schema"
    install -m 755 slow.so /usr/lib/slow.so
    local limit=$((12 * patience)) begun=$SECONDS
    drop_in slow "TimeoutStartSec=$limit" "Environment=LD_PRELOAD=/usr/lib/slow.so FLUSH_TAKES=$((2500 * patience))"
    systemctl start alertferry || fail "the start was ended in the middle of its migration"
    ((SECONDS > begun + limit)) || fail "the migration fits the limit, and tells nothing"
    says store.migrated || fail "nothing was migrated"
    [[ $(stat -c '%a %U' /var/lib/alertferry/alerts.db.before-schema-3) == '600 alertferry' ]] || fail "the copy before it is another"
    systemctl stop alertferry
    rm /var/lib/alertferry/alerts.db* /usr/lib/slow.so
    mv aside/alerts.db* /var/lib/alertferry/
    no_drop_in slow
}

# As docs/OPERATIONS.md says, with two ways out to the simulator: to sign in at the address of one socket, and to read at a
# name that the daemon's own hosts give the address of the other.
without_a_network() {
    local shipped=/usr/share/doc/alertferry/examples/no-network pid
    simulator 127.0.0.2:443 second
    sed -i 's|^api_url = .*|api_url = "https://localhost"|' /etc/alertferry/alertferry.toml
    grep -q '^api_url = "https://localhost"' /etc/alertferry/alertferry.toml || fail "alerts are read where it signs in"
    cp "$shipped"/alertferry-egress* /etc/systemd/system/
    mkdir -p /etc/systemd/system/alertferry.service.d
    cp "$shipped/no-network.conf" /etc/systemd/system/alertferry.service.d/
    echo HOST=127.0.0.2:443 | tee /etc/alertferry/egress-2 >/etc/alertferry/egress-3
    echo '127.0.0.3 localhost' >/etc/alertferry/hosts.egress
    systemctl daemon-reload
    restart
    until_true 120 "readings through the ways out" well
    pid=$(systemctl show -P MainPID alertferry)
    [[ $(readlink "/proc/$pid/ns/net") != "$(readlink /proc/1/ns/net)" ]] || fail "it has the machine's network"
    [[ $(tail -n +3 "/proc/$pid/net/dev" | tr -d ' ' | cut -d : -f 1) == lo ]] || fail "it sees more than a loopback"
    confined
    systemctl --quiet stop alertferry-egress@3.service
    restart
    until_true 120 "readings of a daemon that was restarted alone" well
    must ActiveState active alertferry-egress@2.service
    must ActiveState active alertferry-egress@3.service
    systemctl kill -s SIGKILL --kill-who=main alertferry
    until_true 60 "a restart" is NRestarts 1
    since=$(($(date +%s) + 1))
    until_true 60 "an active daemon" says daemon.ready
    systemctl kill -s SIGUSR1 --kill-who=main alertferry
    until_true 120 "readings of a daemon that was killed" well
    systemctl stop alertferry 'alertferry-egress*'
    rm /etc/systemd/system/alertferry-egress* /etc/alertferry/egress-? /etc/alertferry/hosts.egress
    no_drop_in no-network
}

second_boot() {
    step "after a boot"
    must ActiveState active
    must NRestarts 0
    says daemon.ready || fail "it was not ready"
    group_reads "after a boot"

    step "a migration that takes longer than a start may"
    a_long_migration

    step "without a network"
    without_a_network

    step "upgrade"
    ip address add 10.9.8.7/32 dev lo
    simulator 10.9.8.7:8443 second
    restart
    until_true 120 "readings" well
    printf '# a note of the operator\n' >>/etc/alertferry/alertferry.toml.example
    local before
    before=$(systemctl show -P MainPID alertferry)
    dpkg -i next.deb >upgrade.log || fail "the upgrade"
    until_true 60 "an active daemon" is ActiveState active
    [[ $(systemctl show -P MainPID alertferry) != "$before" ]] || fail "the old program still runs"
    grep -q operator /etc/alertferry/alertferry.toml.example || fail "a changed file was replaced"
    group_reads upgraded
    systemctl disable --now alertferry || fail "systemctl disable"
    dpkg -i next.deb >upgrade.log || fail "the upgrade"
    must ActiveState inactive
    must UnitFileState disabled
    systemctl enable --now alertferry || fail "systemctl enable"

    step "remove, purge"
    dpkg -r alertferry >remove.log || fail "dpkg -r"
    ! pgrep -x alertferry >/dev/null || fail "it goes on without its package"
    [[ -s /var/lib/alertferry/alerts.db && -s /etc/alertferry/alertferry.toml ]] || fail "removing took store or configuration"
    dpkg -i next.deb >again.log || fail "installing it again"
    until_true 60 "an active daemon" is ActiveState active
    group_reads "installed again"
    systemctl start alertferry-sync.timer alertferry-prune.timer
    dpkg -P alertferry >purge.log || fail "dpkg -P"
    ! pgrep -x alertferry >/dev/null || fail "it goes on without its package"
    left=$(find /etc /usr /var/lib /run -xdev -name '*alertferry*' ! -path '/var/lib/dpkg/*' ! -path '*/alertferry.service.d*')
    [[ -z $left ]] || fail "purging left $left"
    [[ -z $(systemctl list-units --all --plain --no-legend 'alertferry*') ]] || fail "systemd still knows a unit"
    printf 'all is well\n'
    over
}

if [[ ! -e booted ]]; then
    touch booted
    first_boot
else
    second_boot
fi
