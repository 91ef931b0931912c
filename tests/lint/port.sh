#!/bin/sh
# Holds FreeBSD's rc.d script and port against what `make install` installs there. Nothing is
# compiled: empty files stand for the programs. FreeBSD's make is bmake.
set -eu

cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

bmake OS=FreeBSD BUILD="$scratch" CC="touch $scratch/rstwatchd $scratch/rstsample; true" \
    DESTDIR="$scratch/stage" PREFIX=/usr/local install >"$scratch/log" 2>&1 || {
    cat "$scratch/log"
    exit 1
}

# The tree of ports compresses manual pages, and its variables stand for directories.
(cd "$scratch/stage/usr/local" && find . -type f | sed 's|^\./||; /\/man\//s|$|.gz|') |
    LC_ALL=C sort >"$scratch/installed"
sed 's|^@sample ||; s|%%DOCSDIR%%|share/doc/rstwatch|' platform/FreeBSD/port/pkg-plist |
    LC_ALL=C sort >"$scratch/listed"
diff -u --label pkg-plist --label installed "$scratch/listed" "$scratch/installed"

rc=$scratch/stage/usr/local/etc/rc.d/rstwatchd
if grep -n %% "$rc"; then
    echo "rstwatchd.in: a variable that nothing replaces"
    exit 1
fi
# rc.subr reads the variables that look unused.
shellcheck -s sh -e SC1091,SC2034 "$rc"

version=$(sed -n 's/^DISTVERSION=[[:space:]]*//p' platform/FreeBSD/port/Makefile)
if ! grep -q "\"rstwatchd $version\"" subagent/version.h; then
    echo "port/Makefile: DISTVERSION $version is not that of subagent/version.h"
    exit 1
fi
