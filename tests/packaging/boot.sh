#!/usr/bin/env bash
# Boots a fresh Debian 12 with its own kernel and systemd as process 1, and there installs the package, runs the units as
# they are shipped against the simulator over TLS, upgrades, removes and purges. booted.sh beside this is what runs inside.
#
#   packaging/build-deb && sudo tests/packaging/boot.sh [PACKAGE]
#
# PACKAGE is the newest below target/debian unless another one is named. Needs root, cc, debootstrap, mke2fs, qemu (Debian:
# apt-get install qemu-system-x86) and for the first run a mirror of Debian; ends with 69 where it cannot run. The machine
# is calculated in software, so that it boots anywhere, also inside another one; ACCEL=kvm takes the processor's help, and
# PATIENCE=3 waits three times as long for everything, on a machine that has much else to do. A container would not do:
# what the unit says of addresses and devices are programs that the kernel runs for a unified tree of control groups with
# all controllers in it, which few machines have to give away.
set -euo pipefail
# shellcheck source=tests/packaging/support.sh
source "$(dirname "$0")/support.sh"

((EUID == 0)) || skip "it makes a root directory, so it must be root"
[[ $(uname -m) == x86_64 ]] || skip "it boots a kernel for x86-64"
needs cc debootstrap dpkg-deb mke2fs qemu-system-x86_64
package=$(the_package "$@")
cargo build --workspace --bins --locked --quiet
fresh bookworm-boot ca-certificates,procps,systemd,sqlite3,udev,iproute2,initramfs-tools,linux-image-cloud-amd64

root=$place/root
cp -a "$fresh" "$root"
mkdir "$root/trial"
cp "$package" "$root/trial/first.deb"
newer "$package" "$root/trial/next.deb"
cp "$target/debug/alertferry-simulator" tests/packaging/booted.sh tests/upgrade/schema-2.sql "$root/trial/"
printf '%s\n' "${PATIENCE:-1}" >"$root/trial/patience"
cc -shared -fPIC -o "$root/trial/slow.so" tests/process/hang.c
# The machine has no device but these, and waits for none.
printf '/dev/vda / ext4 defaults 0 1\n' >"$root/etc/fstab"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
cat >"$root/etc/systemd/system/trial.service" <<'END'
[Unit]
Description=What is tried in the booted system
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/trial/booted.sh
TimeoutStartSec=infinity
[Install]
WantedBy=default.target
END
cat >"$root/etc/systemd/system/simulator.service" <<'END'
[Service]
EnvironmentFile=/trial/simulator.env
ExecStart=/trial/alertferry-simulator --seed 7 --tenants 3 --alerts-per-tenant 60 --no-rate-limit --live --speed 600 \
    --listen ${LISTEN} --secret ${SECRET} --tls-authority /trial/authority.pem --write-config /trial/config
END
chroot "$root" systemctl --quiet enable trial.service
cp "$(readlink -f "$root/vmlinuz")" "$place/kernel" 2>/dev/null || cp "$root"/boot/vmlinuz-* "$place/kernel"
cp "$root"/boot/initrd.img-* "$place/initrd"
mke2fs -q -t ext4 -d "$root" "$place/disk" 1500M >"$place/mke2fs.log" 2>&1 || fail "the disk cannot be made"
rm -rf "$root"

# Runs the machine until it ends, or is ended because it hangs; what is said on its second line comes out here.
machine() {
    timeout "${BOOT_LIMIT:-3600}" qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none -machine q35 \
        -accel "${ACCEL:-tcg}" -cpu max -smp 2 -m 1024 -nic none -device virtio-rng-pci \
        -kernel "$place/kernel" -initrd "$place/initrd" \
        -append "root=/dev/vda rw console=ttyS0 init=/lib/systemd/systemd quiet panic=-1 systemd.show_status=no" \
        -drive "file=$place/disk,format=raw,if=virtio,cache=unsafe" \
        -serial "file:$place/console.log" -serial stdio </dev/null 2>"$place/qemu.log" |
        sed -u 's|\r$||' | tee -a "$place/told"
}
boot() {
    local said ended
    step boot
    said=$(wc -l <"$place/told")
    for _ in 1 2 3; do
        ended=0
        machine || ended=$?
        # The emulator itself can crash (SIGSEGV) before the system has come up: then nothing was tried, and it is run again.
        [[ $ended == 139 && $(wc -l <"$place/told") == "$said" ]] || break
    done
    ((ended == 0)) || fail "the machine ended badly ($ended)"
}
: >"$place/told"
boot
grep -qx 'to be booted again' "$place/told" || fail "what is tried did not come to its middle"
boot
grep -qx 'all is well' "$place/told" || fail "what is tried did not come to its end"
