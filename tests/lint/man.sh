#!/bin/sh
# Checks the manual pages: mandoc has nothing at all to say about them. It also
# looks for the pages that they refer to; those of other packages need not be
# installed here, so a directory stands in that has them, and our own.
set -eu

cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
for section in 1 2 3 4 5 7 8; do
    mkdir "$scratch/man$section"
done
for page in tcpdump.1 snmpget.1 snmpset.1 snmpwalk.1 seccomp.2 sd_notify.3 syslog.3 bpf.4 \
    snmpd.conf.5 landlock.7 snmpd.8 snmptrapd.8; do
    : >"$scratch/man${page##*.}/$page"
done
for page in subagent/*.[1-8]; do
    cp "$page" "$scratch/man${page##*.}/"
done

# On stderr it asks for a database of the directory.
if output=$(MANPATH=$scratch mandoc -T lint -W style subagent/*.[1-8] 2>/dev/null) &&
    [ -z "$output" ]; then
    exit 0
fi
printf '%s\n' "${output:-mandoc failed, or is not there}"
exit 1
