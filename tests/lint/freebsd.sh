#!/bin/sh
# Compiles the FreeBSD platform, all portable stages and their unit tests with FreeBSD's headers.
#   freebsd.sh SYSROOT   a directory with usr/include as FreeBSD installs it
# Where SYSROOT has the libraries, too, it links build/freebsd/rstsample, a static program.
# Headers of libraries that are not of FreeBSD's base system are those of this machine.
set -eu

cd "$(dirname "$0")/../.."

sysroot=${1:-}
if [ -z "$sysroot" ]; then
    echo "not run: FREEBSD_SYSROOT is not given"
    exit 0
fi
if [ ! -e "$sysroot/usr/include/netinet/tcp_var.h" ]; then
    echo "FREEBSD_SYSROOT: $sysroot/usr/include/netinet/tcp_var.h: not there"
    exit 1
fi

build=build/freebsd
compiler="clang --target=x86_64-unknown-freebsd --sysroot=$sysroot"

rm -rf "$build"
mkdir -p "$build/include/openssl"
for header in net-snmp sqlite3.h confuse.h cmocka.h pcap; do
    ln -s "/usr/include/$header" "$build/include/"
done
ln -s /usr/include/openssl/*.h /usr/include/*-linux-gnu/openssl/*.h "$build/include/openssl/"

count=0
for source in platform/FreeBSD/*.c platform/*.c mib/*.c subagent/*.c tests/unit/*.c; do
    case $source in # tests of Linux's platform
    */test_components.c | */test_freebsd_bpf.c | */test_proc_text.c | */test_records.c | \
        */test_rights.c) continue ;;
    esac
    $compiler -std=gnu11 -I. -D_GNU_SOURCE -idirafter "$build/include" \
        -Wall -Wextra -Werror -O2 -c -o "$build/object.o" "$source"
    count=$((count + 1))
done
echo "compiled for FreeBSD: $count files"

if [ -e "$sysroot/usr/lib/libc.a" ]; then
    # HARDEN_LINK: FreeBSD's libc.a is not for position-independent programs.
    make --no-print-directory OS=FreeBSD BUILD="$build" CC="$compiler" HARDEN_LINK= \
        LDFLAGS="-static -fuse-ld=lld" rstsample
fi
