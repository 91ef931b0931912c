#!/bin/sh
# What building and testing need from the system's packages, one table.
#   deps.sh check GROUP...     names what these groups lack; exit status 1 if anything
#   deps.sh install GROUP...   installs it
# Groups: build; Linux; bpf: the BPF source of Linux; run, check, bench, nms, deb.
set -eu

# group  test (header: H:name, program: P:name, file: F:pattern)  Debian package  FreeBSD package
# -: that system has it without a package, or does not need it.
table() {
    cat <<'END'
build H:net-snmp/net-snmp-config.h libsnmp-dev net-snmp
build H:sqlite3.h libsqlite3-dev sqlite3
build H:confuse.h libconfuse-dev libconfuse
build P:cc gcc -
build F:/usr/lib/*/crt1.o libc6-dev -
Linux H:libmnl/libmnl.h libmnl-dev -
Linux H:cap-ng.h libcap-ng-dev -
Linux H:seccomp.h libseccomp-dev -
bpf P:clang clang -
bpf P:bpftool bpftool -
bpf H:bpf/libbpf.h libbpf-dev -
run P:snmpd snmpd net-snmp
run P:snmpget snmp net-snmp
run P:snmptrapd snmptrapd net-snmp
run F:/usr/*bin/python3 python3 python3
run P:ip iproute2 -
check P:nft nftables -
check P:smilint smitools libsmi
check H:cmocka.h libcmocka-dev cmocka
check H:pcap/pcap.h libpcap0.8-dev -
check P:py.test-3 python3-pytest py311-pytest
check P:clang clang llvm
check F:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a libclang-rt-14-dev llvm
check P:bmake bmake -
check P:clang-format clang-format llvm
check P:clang-tidy clang-tidy llvm
check P:cppcheck cppcheck cppcheck
check P:valgrind valgrind valgrind
check P:shellcheck shellcheck hs-ShellCheck
check P:mandoc mandoc -
check P:strace strace strace
check P:tshark tshark tshark
check P:tcpdump tcpdump -
check P:setpriv util-linux -
check P:systemd-analyze systemd -
check P:readelf binutils -
bench P:lldpd lldpd lldpd
bench P:gnuplot gnuplot-nox -
bench P:prometheus-node-exporter prometheus-node-exporter -
bench P:netdata netdata-core -
nms P:prometheus prometheus -
nms P:prometheus-snmp-exporter prometheus-snmp-exporter -
nms P:prometheus-alertmanager prometheus-alertmanager -
nms P:zabbix_server zabbix-server-pgsql -
nms F:/usr/share/zabbix/api_jsonrpc.php zabbix-frontend-php -
nms F:/usr/lib/php/*/pgsql.so php-pgsql -
nms F:/usr/lib/postgresql/*/bin/initdb postgresql -
nms P:chromium chromium -
nms P:mibdump python3-pysmi -
nms F:/usr/lib/python3/dist-packages/pysnmp python3-pysnmp4 -
nms F:/usr/lib/*/perl5/*/SNMP.pm libsnmp-perl -
nms P:node nodejs -
nms P:npm npm -
nms P:tshark tshark -
nms P:tcpdump tcpdump -
nms P:nagios4 nagios4-core -
nms F:/usr/lib/nagios/plugins/check_snmp monitoring-plugins-standard -
nms P:icinga2 icinga2-bin -
nms P:snmptt snmptt -
nms F:/usr/share/perl5/Net/IP.pm libnet-ip-perl -
nms F:/usr/share/i18n/locales/en_US locales -
nms P:rrdtool rrdtool -
nms P:php php-cli -
nms F:/usr/lib/python3/dist-packages/yaml python3-yaml -
deb P:dh debhelper -
deb P:dpkg-buildpackage dpkg-dev -
deb P:lintian lintian -
deb P:debootstrap debootstrap -
END
}

have() {
    # shellcheck disable=SC2086 # F: is a pattern
    case $1 in
    H:*) echo "#include <${1#H:}>" | cc -I/usr/local/include -E - >/dev/null 2>&1 ;;
    P:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#P:}" >/dev/null ;;
    F:*) ls ${1#F:} >/dev/null 2>&1 ;;
    esac
}

# What of these groups is not there: test, Debian package, FreeBSD package, and the one of the two
# that is for this system.
missing() {
    while read -r group test debian freebsd; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        case $(uname -s) in
        FreeBSD) package=$freebsd ;;
        *) package=$debian ;;
        esac
        [ "$package" = - ] || have "$test" || echo "${test#?:} $debian $freebsd $package"
    done <<END
$(table)
END
}

check() {
    missing "$@" | {
        status=0
        while read -r what debian freebsd _; do
            echo "missing $what: package $debian (Debian), $freebsd (FreeBSD); or run: make deps" >&2
            status=1
        done
        exit $status
    }
}

install() {
    packages=$(missing "$@" | sed 's/.* //' | tr '\n' ' ')
    [ -n "$packages" ] || return 0
    echo "installing: $packages"
    # shellcheck disable=SC2086 # a list of words
    case $(uname -s) in
    FreeBSD) pkg install -y $packages ;;
    *)
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
        ;;
    esac
}

case ${1:-} in
check)
    shift
    check "$@"
    ;;
install)
    shift
    install "$@"
    ;;
*)
    echo "usage: deps.sh check|install GROUP..." >&2
    exit 2
    ;;
esac
