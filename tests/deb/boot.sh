#!/bin/sh
# The systemd of a tree as the first process of namespaces of its own: boot.sh TREE GROUP
# GROUP: a control group to be made, of version 2.
set -eu

mkdir "$2"
echo $$ >"$2/cgroup.procs"
# shellcheck disable=SC2016 # $0 is the inner shell's: TREE
exec unshare --mount --uts --ipc --cgroup --net --pid --fork --kill-child sh -euc '
    mount --make-rprivate /
    mount --bind "$0" "$0"
    cd "$0"
    mount -t proc proc proc
    mount -t sysfs sys sys
    mount -t cgroup2 groups sys/fs/cgroup
    mount -t tmpfs run run
    mount -t tmpfs dev dev
    for device in null zero full random urandom tty; do
        : >"dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=666 pts dev/pts
    ln -s pts/ptmx dev/ptmx
    ip link set lo up
    pivot_root . mnt
    umount -l /mnt
    exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --log-target=journal
' "$1"
