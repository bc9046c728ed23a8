#!/usr/bin/env bash
# Runs the program against the simulator under what systemd/alertferry.service forbids, as far as that can be had without
# systemd: bubblewrap for the root, the namespaces and the capabilities, seccomp with death as the answer for the rest.
#
#   tests/packaging/sandbox.sh [PROGRAM]
#
# PROGRAM is target/debug/alertferry unless another one is named. Ends with 69 where it cannot run: it needs
# bubblewrap 0.5, python3-seccomp and systemd-analyze (Debian: apt-get install bubblewrap python3-seccomp systemd).
set -euo pipefail
# shellcheck source=tests/packaging/support.sh
source "$(dirname "$0")/support.sh"

unit=systemd/alertferry.service

needs bwrap systemd-analyze
for python in /usr/bin/python3 python3 none; do
    "$python" -c 'import seccomp' 2>/dev/null && break
done
[[ $python != none ]] || skip "there is no Python module seccomp"
bwrap --ro-bind / / --unshare-user --unshare-pid --cap-drop ALL true 2>/dev/null ||
    skip "bwrap may not make namespaces on this machine"

cargo build --workspace --bins --locked --quiet
program=$(realpath "${1:-$target/debug/alertferry}")

# What the unit says of a key, its lines joined.
said() {
    sed -n "s/^$1=//p" "$unit" | tr '\n' ' '
}

mkdir -p "$place"/{filters,state,config,credentials}
"$python" tests/packaging/filters.py "$unit" "$place/filters"

wall=(--unshare-user --uid 990 --gid 990 --unshare-pid --unshare-ipc --unshare-uts --cap-drop ALL --die-with-parent
    --clearenv --setenv CREDENTIALS_DIRECTORY /run/credentials/alertferry.service
    --setenv NOTIFY_SOCKET /run/systemd/notify)
for path in $(said BindReadOnlyPaths); do
    if [[ $path == -* ]]; then
        wall+=(--ro-bind-try "${path#-}" "${path#-}")
    else
        wall+=(--ro-bind "$path" "$path")
    fi
done
wall+=(--proc /proc --ro-bind /proc/sys /proc/sys --dev /dev --tmpfs /tmp --tmpfs /var/tmp
    --bind "$place/state" "/var/lib/$(said StateDirectory | tr -d ' ')"
    --ro-bind "$place/config" "/etc/$(said ConfigurationDirectory | tr -d ' ')"
    --ro-bind "$place/credentials" /run/credentials/alertferry.service
    --ro-bind "$place/notify" /run/systemd/notify
    --ro-bind "$program" /alertferry --remount-ro / --chdir /)

# confined COMMAND…: runs a command as the unit would.
confined() (
    umask "$(said UMask | tr -d ' ')"
    ulimit -c "$(said LimitCORE | tr -d ' ')" -n "$(said LimitNOFILE | tr -d ' ')"
    # Below 50, bash keeps descriptors of its own.
    filters=() fd=50
    for file in "$place"/filters/*.bpf; do
        eval "exec $fd<'$file'"
        filters+=(--add-seccomp-fd "$fd")
        fd=$((fd + 1))
    done
    exec bwrap "${wall[@]}" "${filters[@]}" "$@"
)

# What the daemon tells systemd, a line a datagram.
"$python" -c '
import socket, sys
place = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
place.bind(sys.argv[1])
while True:
    print(place.recv(65536).decode().replace("\n", " "), flush=True)' "$place/notify" >"$place/told" &
children+=($!)
until_true 10 "the socket for systemd" test -S "$place/notify"

"$target/debug/alertferry-simulator" --seed 7 --tenants 3 --alerts-per-tenant 60 --no-rate-limit --live --speed 600 \
    --write-config "$place/config" >"$place/simulator.log" 2>&1 &
children+=($!)
until_true 30 "the simulator" grep -q 'Ctrl-C' "$place/simulator.log"
mv "$place/config/client-secret" "$place/credentials/alertferry.client-secret"
sed -i -e 's|^path = .*|path = "/var/lib/alertferry/alerts.db"|' \
    -e 's|^secret = .*|secret = { credential = "alertferry.client-secret" }|' "$place/config/alertferry.toml"
chmod 600 "$place/credentials/alertferry.client-secret"

# The wall stands: what must not be done ends by SIGSYS (128 + 31), or fails.
confined /usr/bin/perl -e 'exit 0' || fail "perl does not run in the sandbox, so the probes below would tell nothing"
probe() {
    local name=$1 code=0
    shift
    # shellcheck disable=SC2016 # these are Perl's
    confined /usr/bin/perl -e 'my ($call, @with) = map { $_ + 0 } @ARGV; syscall($call, @with)' \
        "$("$python" tests/packaging/filters.py --number "$name")" "$@" || code=$?
    [[ $code == 159 ]] || fail "the system call $name $* ended with $code, not by SIGSYS"
    printf 'denied: %s %s\n' "$name" "$*"
}
probe mount 0 0 0 0 0
probe ptrace 0 0 0 0
probe chown 0 0 0
probe setrlimit 0 0
probe sethostname 0 0
probe init_module 0 0 0
probe bpf 0 0 0
probe unshare $((0x10000000))
probe setns 0 0
probe mmap 0 4096 7 $((0x22)) -1 0
probe mprotect 0 4096 4
probe socket 16 3 0
probe socket 17 3 0
probe fchmod 0 $((04755))
# shellcheck disable=SC2016 # these are Perl's
confined /usr/bin/perl -e '
    opendir my $root, "/" or die; my @found = sort grep { !/^\./ } readdir $root;
    my %known = map { $_ => 1 } qw(alertferry bin dev etc lib lib64 proc run tmp usr var);
    for (@found) { die "/$_ is there\n" unless $known{$_} }
    for ("/x", "/usr/x", "/etc/alertferry/x", "/proc/sys/kernel/hostname") { open(my $x, ">", $_) and die "$_ can be written\n" }
    open(my $x, ">", "/var/lib/alertferry/probe") or die "the state directory cannot be written\n"; unlink "/var/lib/alertferry/probe";
    my $status = do { local $/; open my $x, "<", "/proc/self/status" or die; <$x> };
    for my $set (qw(Inh Prm Eff Bnd Amb)) { $status =~ /^Cap$set:\s+0+$/m or die "Cap$set is not empty\n" }
    $status =~ /^NoNewPrivs:\s+1$/m or die "new privileges can be had\n";
    $status =~ /^Seccomp:\s+2$/m or die "there is no filter\n";' || fail "the sandbox has a hole"
printf 'denied: other paths, writing anywhere but the state directory, every capability\n'

count() {
    confined /alertferry query "$1" --format csv | tail -n 1 | tr -d '"'
}
# start: runs the daemon; $daemon is its process.
start() {
    confined /alertferry run >>"$place/daemon.log" 2>&1 &
    wrapper=$!
    children+=("$wrapper")
    until_true 30 "the daemon" ready $(($(grep -c daemon.ready "$place/daemon.log" || true) + 1))
    # Below shell and bwrap.
    daemon=$wrapper
    until [[ $(cat "/proc/$daemon/comm") == alertferry ]]; do
        daemon=$(pgrep -P "$daemon") || fail "the daemon is not below process $wrapper"
    done
}
ready() {
    [[ $(grep -c daemon.ready "$place/daemon.log") -ge $1 ]]
}
until_end() {
    local code=0
    wait "$wrapper" || code=$?
    [[ $code == "$1" ]] || fail "the daemon ended with $code, not $1: $(tail -n 3 "$place/daemon.log")"
}

confined /alertferry sync >"$place/sync.log" 2>&1 || fail "sync: $(cat "$place/sync.log")"
[[ $(count "SELECT count(*) FROM alerts") -ge 180 ]] || fail "sync read too little"
[[ $(stat -c %a "$place/state/alerts.db") == 640 ]] || fail "the store is not 0640"
printf 'works: sync, query\n'

start
until_true 10 "READY=1" grep -q READY=1 "$place/told"
changed() {
    kill -USR1 "$daemon"
    [[ $(count "SELECT count(*) FROM alert_changes WHERE kind = 'updated'") -ge 1 ]]
}
until_true 60 "a changed alert" changed
confined /alertferry backup /var/lib/alertferry/copy.db >/dev/null || fail "backup"
confined /alertferry prune --older-than 200d --include-open >/dev/null || fail "prune"
confined /alertferry export alerts --format parquet --out /var/lib/alertferry/alerts.parquet 2>/dev/null || fail "export"
kill -HUP "$daemon"
until_true 10 "the reload" grep -q config.reloaded "$place/daemon.log"
kill -TERM "$daemon"
until_end 0
grep -q STOPPING=1 "$place/told" || fail "systemd was not told of the end"
printf 'works: run, backup, prune, export, SIGUSR1, SIGHUP, SIGTERM, notifications\n'

start
kill -KILL "$daemon"
until_end 137
start
[[ $(count "SELECT count(*) FROM alerts") -ge 180 ]] || fail "alerts are gone after a kill"
confined /alertferry backup /var/lib/alertferry/after.db >/dev/null || fail "the store is damaged after a kill"
kill -TERM "$daemon"
until_end 0
printf 'works: SIGKILL and another start\n'

cat <<'END'
not tested here: systemd itself as process 1 (RootDirectory=, NoExecPaths=, LoadCredential=, IPAddressDeny=, ProtectClock=
and the other mounts and groups that only it makes, Memory and TasksMax, the watchdog), RestrictRealtime=, LockPersonality=,
and a network of other hosts; tests/packaging/boot.sh has most of it. The program lies at /alertferry instead of /usr/bin.
END
