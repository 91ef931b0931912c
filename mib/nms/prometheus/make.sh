#!/bin/sh
# Writes snmp-0.21.yml and snmp.yml from the module and generator.yml: make.sh MODULE-DIRECTORIES OUTPUT
# Takes the generator of snmp_exporter 0.21, Debian 12's.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
directories=$1
output=$2

cd "$here"
MIBDIRS=$directories prometheus-snmp-generator generate --output-path="$output/snmp-0.21.yml" \
    2>"$output/generator.log" || {
    cat "$output/generator.log" >&2
    exit 1
}
rm "$output/generator.log"

# From 0.23 on modules and communities stand apart.
{
    cat "$here/auths.yml"
    echo "modules:"
    sed -e '/^#/d' -e 's/^/  /' "$output/snmp-0.21.yml"
} >"$output/snmp.yml"
