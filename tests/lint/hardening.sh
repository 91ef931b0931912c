#!/bin/sh
# What a hardened program has, by what its file says: hardening.sh PROGRAM...
set -eu

fail() {
    echo "$program: $1" >&2
    status=1
}

has() {
    readelf --wide "$1" "$program" | grep -q -E "$2" || fail "$3"
}

# libc's few lines at the start of each program have it in any case.
protects_flow() {
    [ "$(objdump -d "$program" | grep -c -E "$1")" -gt 10 ] || fail 'no control-flow protection'
}

status=0
for program; do
    has --file-header 'Type: +DYN' 'not position-independent'
    has --program-headers 'GNU_RELRO' 'no RELRO'
    has --dynamic 'BIND_NOW|Flags:.* NOW' 'relocations stay writable: not full RELRO'
    has --program-headers 'GNU_STACK.* RW ' 'the stack can be executed'
    has --dyn-syms '__stack_chk_fail' 'no stack protector'
    has --dyn-syms '__(v?snprintf|memcpy)_chk' 'no FORTIFY_SOURCE'
    case $(uname -m) in
    x86_64) protects_flow endbr64 ;;
    aarch64) protects_flow 'bti|paciasp' ;;
    esac
    if readelf --wide --program-headers "$program" | grep -q 'LOAD.* RWE '; then
        fail 'memory that can be written and executed'
    fi
done
exit $status
