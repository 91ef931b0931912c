#!/bin/sh
# Checks the MIB module as its users' tools see it: smilint has nothing at all
# to say about it, net-snmp loads it without a complaint, and names translate
# to numbers and back. The host's own modules and settings play no part.
set -eu

cd "$(dirname "$0")/../.."

module=TCP-RESET-MIB
file=mib/$module.txt
root=.1.3.6.1.4.1.8072.9999.9999.778
failed=0

# net-snmp makes its directories when it starts, and says so on stderr.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$scratch/cert_indexes"
SNMP_PERSISTENT_DIR=$scratch SNMPCONFPATH=$scratch
SMIPATH=mib/base:mib
export SNMP_PERSISTENT_DIR SNMPCONFPATH SMIPATH
unset MIBS MIBDIRS MIBFILES

# quiet WHAT COMMAND...: the command must succeed and print nothing. (smilint
# succeeds whatever it finds.)
quiet() {
    what=$1
    shift
    if output=$("$@" 2>&1) && [ -z "$output" ]; then
        return
    fi
    printf '%s:\n%s\n' "$what" "$output" >&2
    failed=1
}

# prints EXPECTED ARGUMENT...: what snmptranslate must print, on stdout and
# stderr together.
prints() {
    expected=$1
    shift
    if output=$(snmptranslate -M mib/base:mib "$@" 2>&1) &&
        [ "$output" = "$expected" ]; then
        return
    fi
    printf 'snmptranslate %s: expected %s, got:\n%s\n' \
        "$*" "$expected" "$output" >&2
    failed=1
}

# translates NAME ARC: both ways.
translates() {
    prints "$root$2" -m $module -On "$module::$1"
    prints "$module::$1" -m $module "$root$2"
}

quiet "smilint on $file" smilint -c /dev/null -l 6 -s "$file"
for base in mib/base/*.txt; do
    quiet "smilint on $base" smilint -c /dev/null -l 3 -s "$base"
done

translates tcpResetMIB ''
translates tcpResetAlarmRaised .0.1
translates tcpResetAgentVersion.0 .1.1.1.0
translates tcpResetReceived.0 .1.2.1.0
translates tcpResetSentPeak10s.0 .1.3.6.0
translates tcpResetSynCookieState.0 .1.4.1.0
translates tcpResetAlarmRisingThreshold.received .1.5.1.1.4.1
translates tcpResetAlarmSummary.synCookies .1.5.1.1.17.3
translates tcpResetEventSummary.17 .1.6.5.1.15.17
translates tcpResetEventCause.17 .1.6.5.1.14.17
translates tcpResetCauseCount.received.noListener .1.7.1.1.4.1.1
translates tcpResetCauseMethod.sent.unexplained .1.7.1.1.6.2.11
translates tcpResetPeerText.received.10.1 .1.8.1.1.10.1.10.1
translates tcpResetPortText.sent.60.10 .1.8.2.1.8.2.60.10
translates tcpResetPeerTotal.sent.60 .1.8.3.1.3.2.60
translates tcpResetEvidenceFile.17 .1.10.1.1.1.17
translates tcpResetCompliance .2.1.1

# All modules together, as the demo loads them.
prints SNMPv2-MIB::sysUpTime.0 -m ALL .1.3.6.1.2.1.1.3.0
prints SNMPv2-MIB::snmpTrapOID.0 -m ALL .1.3.6.1.6.3.1.1.4.1.0
prints NET-SNMP-MIB::netSnmpAgentOIDs.10 -m ALL .1.3.6.1.4.1.8072.3.2.10

if [ "$failed" -ne 0 ]; then
    echo "mib-check: $module is not in order" >&2
fi
exit "$failed"
