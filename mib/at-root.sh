#!/bin/sh
# Prints a file with the module at another root: at-root.sh ROOT FILE
# ROOT: 1.3.6.1.4.1.<PEN>.<n>…, or "" for the one that it has (mib/root.h).
set -eu

root=$1
file=$2
now=$(sed -n 's/^#define MIB_ROOT //p' "$(dirname "$0")/root.h" | sed 's/, /./g')
enterprises=1.3.6.1.4.1

if [ -z "$root" ]; then
    cat "$file"
    exit
fi
if ! echo "$root" | grep -q -E "^$enterprises(\.[1-9][0-9]{0,8}){2,}\$"; then
    echo "MIB_ROOT $root: expected $enterprises.<PEN>.<n>" >&2
    exit 1
fi

# In the module an arc has a name, or smilint warns; but the last.
arcs=$(echo "${root#"$enterprises".}" | sed 's/\.\([^.]*\)$/ \1/' | tr . ' ' | awk '{
    for (n = 1; n < NF; n++)
        printf "%s(%s) ", n == 1 ? "organization" : "arc" n, $n
    print $NF }')

sed -e "s/$(echo "$now" | sed 's/\./[.]/g')/$root/g" \
    -e "s/^{ enterprises netSnmp(.*}\$/{ enterprises $arcs}/" "$file"
