#!/bin/sh
# For snmptrapd.conf: traphandle default /usr/bin/sh …/traphandle.sh /var/log/snmptrap/snmptrap.log
# Appends each notification in the form that Zabbix's SNMPTrapperFile has. snmptrapd gives host,
# transport and varbinds, a line each.
set -eu

read -r _
read -r transport
address=$(echo "$transport" | sed 's/^[A-Za-z]*: *\[\([^]]*\)\].*/\1/')
{
    echo "$(date +'%Y/%m/%d %H:%M:%S') ZBXTRAP $address"
    cat
} >>"$1"
