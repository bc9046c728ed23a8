"""Turns what a systemd unit says about system calls into seccomp filters, one file each, for `bwrap --add-seccomp-fd`.

    filters.py UNIT DIRECTORY       writes DIRECTORY/N.bpf
    filters.py --number NAME        prints the number of a system call

What is not allowed kills the process, where the unit would answer EPERM. Needs Debian's python3-seccomp and
systemd-analyze, which knows the groups of system calls.
"""

import errno
import pathlib
import socket
import subprocess
import sys

import seccomp
from seccomp import ALLOW, EQ, ERRNO, GE, KILL_PROCESS, MASKED_EQ, Arg, SyscallFilter

# linux/mman.h, linux/sched.h, linux/stat.h
WRITE, EXECUTE = 2, 4
NAMESPACES = [0x80, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00020000]
SET_IDS = [0o4000, 0o2000]
FAMILIES = 46


def settings(unit):
    found = {}
    for line in pathlib.Path(unit).read_text().splitlines():
        key, sign, value = line.partition("=")
        if sign and not key.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def groups():
    found, name = {}, None
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            name = word
            found[name] = []
        elif line.startswith(" ") and not word.startswith("#"):
            found[name].append(word)
    return found


def calls(words, known):
    found = set()
    for word in words:
        found |= calls(known[word], known) if word.startswith("@") else {word}
    return found


def the_list(lines):
    """Only what SystemCallFilter= names, less what its lines with a tilde name."""
    known, allowed = groups(), set()
    for line in lines:
        if line.startswith("~"):
            allowed -= calls(line[1:].split(), known)
        else:
            allowed |= calls(line.split(), known)
    made, unknown = SyscallFilter(defaction=KILL_PROCESS), 0
    for name in sorted(allowed):
        try:
            made.add_rule(ALLOW, name)
        except RuntimeError:
            unknown += 1  # a call of another architecture
    print(f"allowed: {len(allowed) - unknown} system calls of this machine")
    return made


def denying(rules):
    made = SyscallFilter(defaction=ALLOW)
    for action, name, *arguments in rules:
        made.add_rule(action, name, *arguments)
    return made


def no_new_code():
    """MemoryDenyWriteExecute="""
    yield KILL_PROCESS, "mmap", Arg(2, MASKED_EQ, WRITE | EXECUTE, WRITE | EXECUTE)
    yield KILL_PROCESS, "mprotect", Arg(2, MASKED_EQ, EXECUTE, EXECUTE)
    yield KILL_PROCESS, "pkey_mprotect", Arg(2, MASKED_EQ, EXECUTE, EXECUTE)


def families(names):
    """RestrictAddressFamilies="""
    allowed = {int(getattr(socket, name)) for line in names for name in line.split()}
    for family in set(range(FAMILIES)) - allowed:
        yield KILL_PROCESS, "socket", Arg(0, EQ, family)
    yield KILL_PROCESS, "socket", Arg(0, GE, FAMILIES)


def no_namespaces():
    """RestrictNamespaces=; clone3 hides its flags from a filter, so it is not there and the C library uses clone."""
    yield ERRNO(errno.ENOSYS), "clone3"
    yield KILL_PROCESS, "setns"
    for flag in NAMESPACES:
        yield KILL_PROCESS, "unshare", Arg(0, MASKED_EQ, flag, flag)
        yield KILL_PROCESS, "clone", Arg(0, MASKED_EQ, flag, flag)


def no_set_ids():
    """RestrictSUIDSGID="""
    for bit in SET_IDS:
        for name, place in [("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2)]:
            yield KILL_PROCESS, name, Arg(place, MASKED_EQ, bit, bit)


def main(unit, directory):
    said = settings(unit)
    made = [the_list(said["SystemCallFilter"]), denying(families(said["RestrictAddressFamilies"]))]
    for key, rules in [
        ("MemoryDenyWriteExecute", no_new_code),
        ("RestrictNamespaces", no_namespaces),
        ("RestrictSUIDSGID", no_set_ids),
    ]:
        if said[key] != ["yes"]:
            sys.exit(f"the unit has no {key}=yes")
        made.append(denying(rules()))
    for number, each in enumerate(made):
        with open(pathlib.Path(directory) / f"{number}.bpf", "wb") as file:
            each.export_bpf(file)


if sys.argv[1] == "--number":
    print(seccomp.resolve_syscall(seccomp.Arch(), sys.argv[2]))
else:
    main(*sys.argv[1:])
