#!/usr/bin/env bash
# Installs the package into a fresh Debian 12, runs the daemon there as its own user against the simulator over TLS, whose
# authority the configuration names, upgrades, removes and purges it, and looks at what is there after each step.
#
#   packaging/build-deb && sudo tests/packaging/install.sh [PACKAGE]
#
# PACKAGE is the newest below target/debian unless another one is named. Needs root, debootstrap, and for the first run a
# mirror of Debian; ends with 69 where it cannot run.
set -euo pipefail
# shellcheck source=tests/packaging/support.sh
source "$(dirname "$0")/support.sh"

((EUID == 0)) || skip "it makes a root directory, so it must be root"
needs debootstrap dpkg-deb chroot unshare
# Its mounts are gone with it, whatever happens.
if [[ -z ${OWN_MOUNTS-} ]]; then
    unshare --mount true 2>/dev/null || skip "this machine forbids mounts"
    exec env OWN_MOUNTS=yes unshare --mount "$0" "$@"
fi
package=$(the_package "$@")
cargo build --workspace --bins --locked --quiet
# What the package depends on, and what readers have.
fresh bookworm ca-certificates,procps,systemd,sqlite3
root=$place/root
cp -a "$fresh" "$root"
# Nothing below a mount may be taken away with the rest.
leave() {
    umount --lazy "$root/proc" || place=$(mktemp -d)
    clean
}
trap leave EXIT
mount -t proc proc "$root/proc"

inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
# LoadCredential=, which the daemon alone has.
credentials=/run/credentials/alertferry.service
# as USER COMMAND…: as somebody with all of his groups.
as() {
    local user=$1
    shift
    inside setpriv --reuid "$user" --regid "$user" --init-groups "$@"
}
# Everything there is, but for what dpkg, apt and the clock write anyhow, and for accounts.
everything() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./var/log -o -path ./var/cache -o -path ./run -o -path ./tmp \) -prune -o \
        -printf '%p %M %u %g\n' | grep -vE '^\./(etc/\.pwd\.lock|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|home/.*|var/lib/dpkg/.*|var/mail/.*) ' | sort)
}
# mode PATH MODE OWNER GROUP
mode() {
    local found
    found=$(inside stat -c '%a %U %G' "$1") || fail "$1 is not there"
    [[ $found == "$2 $3 $4" ]] || fail "$1 is $found, not $2 $3 $4"
}
absent() {
    [[ ! -e $root$1 && ! -L $root$1 ]] || fail "$1 is there"
}
everything >"$place/before"

step install
inside useradd --create-home alice
inside useradd --create-home mallory
cp "$package" "$root/tmp/first.deb"
inside dpkg -i /tmp/first.deb >"$place/install.log" 2>&1 || fail "dpkg -i"
[[ -z $(inside dpkg --verify alertferry) ]] || fail "files are not what the package says"
[[ $(inside alertferry --version) == "alertferry "* ]] || fail "the program does not run"
mode /usr/bin/alertferry 755 root root
mode /etc/alertferry/alertferry.toml.example 644 root root
inside getent passwd alertferry | grep -q ':/var/lib/alertferry:/usr/sbin/nologin$' || fail "the user is not as it should be"
[[ $(inside id -Gn alertferry) == alertferry ]] || fail "the user has other groups"
[[ -L $root/etc/systemd/system/multi-user.target.wants/alertferry.service ]] || fail "the daemon is not enabled"
absent /etc/systemd/system/timers.target.wants/alertferry-prune.timer
absent /etc/systemd/system/timers.target.wants/alertferry-sync.timer
# Unconfigured, systemd passes over every unit: this file is their condition.
absent /etc/alertferry/alertferry.toml
for unit in alertferry alertferry-prune alertferry-sync; do
    grep -qx 'ConditionPathExists=/etc/alertferry/alertferry.toml' "$root/usr/lib/systemd/system/$unit.service" ||
        fail "$unit would start unconfigured"
    inside systemd-analyze verify --man=no "$unit.service" >"$place/verify.log" 2>&1 || fail "systemd-analyze verify $unit"
    ! grep alertferry "$place/verify.log" || fail "systemd has something to say of $unit"
done
for page in man1/alertferry.1 man1/alertferry-alerts-list.1 man5/alertferry.toml.5; do
    zcat "$root/usr/share/man/$page.gz" | grep -q '^\.TH' || fail "$page is no page"
done
inside bash -c 'source /usr/share/bash-completion/completions/alertferry && complete -p alertferry' >/dev/null ||
    fail "bash completes nothing"
for page in copyright changelog.gz changelog.Debian.gz README.md OPERATIONS.md alertferry.cdx.json; do
    [[ -s $root/usr/share/doc/alertferry/$page || -s $root/usr/share/doc/alertferry/$page.gz ]] || fail "there is no $page"
done

step directories
# What systemd does at the start of the machine and of the service.
inside systemd-tmpfiles --create alertferry.conf
mode /etc/alertferry 750 root alertferry
mode /etc/alertferry/tenants.d 750 root alertferry
mode /etc/alertferry/conf.d 750 root alertferry
mode /etc/credstore 700 root root
mode /usr/lib/alertferry/rootfs 755 root root
mode /var/lib/alertferry 750 alertferry alertferry
mode /etc/credstore/alertferry.client-secret 600 root root

step "run as alertferry"
"$target/debug/alertferry-simulator" --seed 7 --tenants 3 --alerts-per-tenant 60 --no-rate-limit --live --speed 600 \
    --tls-authority "$place/authority.pem" --write-config "$place" >"$place/simulator.log" 2>&1 &
children+=($!)
until_true 30 "the simulator" grep -q 'Ctrl-C' "$place/simulator.log"
grep -q '^login_url = "https://' "$place/alertferry.toml" || fail "the simulator does not speak TLS"
sed -e 's|^ca_file = .*|ca_file = "/etc/alertferry/authority.pem"|' -e 's|^path = .*|path = "/var/lib/alertferry/alerts.db"|' \
    -e 's|^secret = .*|secret = { credential = "alertferry.client-secret" }|' "$place/alertferry.toml" \
    >"$root/etc/alertferry/alertferry.toml"
install -m 600 "$place/client-secret" "$root/etc/credstore/alertferry.client-secret"
inside install -m 640 -g alertferry /dev/null /etc/alertferry/authority.pem
cat "$place/authority.pem" >"$root/etc/alertferry/authority.pem"
inside chown root:alertferry /etc/alertferry/alertferry.toml
inside chmod 640 /etc/alertferry/alertferry.toml
inside install -d -m 0500 -o alertferry "$credentials"
inside install -m 0400 -o alertferry /etc/credstore/alertferry.client-secret "$credentials/"
# start: runs the daemon with the words of the unit.
start() {
    local words
    read -ra words < <(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/alertferry.service")
    : >"$place/daemon.log"
    (umask 0027 && as alertferry env "CREDENTIALS_DIRECTORY=$credentials" "${words[@]}") >"$place/daemon.log" 2>&1 &
    daemon=$!
    children+=("$daemon")
    until_true 30 "the daemon" grep -q daemon.ready "$place/daemon.log"
}
stop() {
    local pid code=0
    pid=$(pgrep -x alertferry -P "$daemon" || echo "$daemon")
    kill -TERM "$pid"
    wait "$daemon" || code=$?
    ((code == 0)) || fail "the daemon ended with $code"
}
count() {
    as alice alertferry query "SELECT count(*) FROM alerts" --format csv 2>"$place/alice.log" | tail -n 1 | tr -d '"'
}
read_all() {
    [[ $(count) -ge 180 ]]
}
inside usermod -aG alertferry alice
start
until_true 60 "alerts that alice may read" read_all
mode /var/lib/alertferry 750 alertferry alertferry
mode /var/lib/alertferry/alerts.db 640 alertferry alertferry
code=0
as mallory alertferry status >"$place/mallory.log" 2>&1 || code=$?
[[ $code == 77 || $code == 78 ]] || fail "somebody outside of the group got $code"
! as mallory cat /var/lib/alertferry/alerts.db >/dev/null 2>&1 || fail "the store can be read by everybody"
! as alice touch /var/lib/alertferry/x 2>/dev/null || fail "the group can write beside the store"
! as alice cat /etc/credstore/alertferry.client-secret 2>/dev/null || fail "the secret can be read by the group"
[[ $(as alice sqlite3 'file:/var/lib/alertferry/alerts.db?mode=ro' 'SELECT count(*) FROM alerts') -ge 180 ]] ||
    fail "sqlite3 shows the group no alerts"
! as mallory sqlite3 'file:/var/lib/alertferry/alerts.db?mode=ro' 'SELECT count(*) FROM alerts' >/dev/null 2>&1 ||
    fail "sqlite3 shows alerts to everybody"
as alertferry alertferry prune --dry-run --older-than 200d >/dev/null || fail "prune"

step upgrade
newer "$package" "$root/tmp/next.deb"
printf '# a note of the operator\n' >>"$root/etc/alertferry/alertferry.toml.example"
before=$(count)
inside dpkg -i /tmp/next.deb >"$place/upgrade.log" 2>&1 </dev/null || fail "the upgrade"
# shellcheck disable=SC2016 # these are dpkg's own
[[ $(inside dpkg-query -W -f '${Version} ${Status}' alertferry) == *"+next install ok installed" ]] || fail "it is not the new one"
tail -n 1 "$root/etc/alertferry/alertferry.toml.example" | grep -q operator || fail "a changed file was replaced"
mode /etc/alertferry 750 root alertferry
[[ -s $root/etc/alertferry/alertferry.toml && -s $root/etc/credstore/alertferry.client-secret ]] || fail "configuration is gone"
# There is no systemd that would restart it, so by hand.
stop
start
[[ $(count) -ge $before ]] || fail "alerts are gone"
stop

step remove
inside dpkg -r alertferry >"$place/remove.log" 2>&1 || fail "dpkg -r"
absent /usr/bin/alertferry
absent /usr/lib/systemd/system/alertferry.service
for kept in /etc/alertferry/alertferry.toml /etc/alertferry/alertferry.toml.example /etc/credstore/alertferry.client-secret \
    /var/lib/alertferry/alerts.db; do
    [[ -s $root$kept ]] || fail "removing took $kept"
done

step purge
inside dpkg -P alertferry >"$place/purge.log" 2>&1 || fail "dpkg -P"
everything >"$place/after"
diff "$place/before" "$place/after" >"$place/left" || fail "purging left: $(cat "$place/left")"
[[ -z $(find "$root/var/lib/dpkg" -name '*alertferry*') ]] || fail "dpkg still knows it"
inside getent passwd alertferry >/dev/null || fail "the user is gone, whose number backups may carry"

cat <<'END'
all is well. Not tested here: systemd as process 1, with its start, restart and stop of the daemon, the credential and the
sandbox; that is tests/packaging/boot.sh.
END
