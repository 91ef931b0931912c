#!/bin/sh
# For snmptrapd.conf: traphandle default /bin/sh …/passive.sh PIPE [NAMES]
# Tells Nagios or Icinga of an alarm that was raised or cleared, as a passive result of the service
# "TCP resets <metric>", by their command pipe. NAMES: a file with an address and the name that the
# host has there, a line each; without, its name is its address. What a trap says goes into no shell.
set -eu

pipe=$1
names=${2:-/dev/null}

result=$(awk -v now="$(date +%s)" -v names="$names" '
    BEGIN {
        root = "1.3.6.1.4.1.8072.9999.9999.778" # its dots stand for any character, too
        while ((getline line <names) > 0) {
            split(line, part)
            name[part[1]] = part[2]
        }
    }
    function value() { # of a varbind, without quotes, and with nothing that ends a field
        sub(/^[^ ]* "?/, "")
        sub(/" *$/, "")
        gsub(/[;|[:cntrl:]]/, " ")
        return $0
    }
    NR == 2 { # UDP: [192.0.2.1]:161->[192.0.2.2]:162
        sub(/^[^[]*\[/, "")
        sub(/\].*/, "")
        host = $0 in name ? name[$0] : $0
    }
    NR > 2 && /snmpTrapOID[.]0 |[.]1[.]3[.]6[.]1[.]6[.]3[.]1[.]1[.]4[.]1[.]0 / {
        if ($2 ~ root "[.]0[.]1$|tcpResetAlarmRaised$") state = "2"
        if ($2 ~ root "[.]0[.]2$|tcpResetAlarmCleared$") state = "0"
    }
    $1 ~ root "[.]1[.]6[.]5[.]1[.]7[.]|tcpResetEventMetricName[.]" { metric = value() }
    $1 ~ root "[.]1[.]6[.]5[.]1[.]15[.]|tcpResetEventSummary[.]" { summary = value() }
    END {
        if (state != "")
            printf "[%s] PROCESS_SERVICE_CHECK_RESULT;%s;TCP resets %s;%s;%s\n", now, host, metric, state, summary
    }')
[ -n "$result" ] || exit 0
# Where nobody reads the pipe, this ends all the same.
echo "$result" | timeout 5 tee "$pipe" >/dev/null
