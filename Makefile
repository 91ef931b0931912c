# rstwatch. GNU make and BSD make read this.
#
#   make        build/rstwatchd          make deps     what it needs, from the system's packages
#   make run    see it work (root)       make check    every test (root)
#   make soak   outages, 15 min (root)   make bench    tables against peers
#   make stress pollers, SETs, floods and restarts at once, 10 min (root)
#   make day    such a load for a day ten times as fast, 2 h 25 min (root)
#   make fuzz   10 million runs of each parser's fuzzer; make fuzz-pdu   a million PDUs
#   make check-freebsd FREEBSD_SYSROOT=dir   compiles what is for FreeBSD, on another system
#   make analyse                         gcc -fanalyzer and clang-tidy
#   make valgrind                        the unit tests under valgrind
#   make nms-test                        monitoring systems beside a host (root)
#   make deb                             the Debian package; make deb-test tries it
#   make install                         honours DESTDIR and PREFIX
#   make rstsample                       build/rstsample alone: prints samples

PREFIX  = /usr/local
CC      = cc
CFLAGS  = $(CFLAGS_$(SANITIZED))
WARN    = -Wall -Wextra -Werror
BUILD   = build

# make SANITIZED=yes: AddressSanitizer and UBSan, which have checks of their own.
SANITIZED  = no
CFLAGS_no  = -O2 -g
CFLAGS_yes = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

# tests/lint/hardening.sh looks at the result.
FLOW   != case $$(uname -m) in \
           x86_64|amd64) echo -fcf-protection ;; \
           aarch64|arm64) echo -mbranch-protection=standard ;; \
       esac
HARDEN     = $(HARDEN_$(SANITIZED))
HARDEN_no  = -fPIE -fstack-protector-strong -fstack-clash-protection $(FLOW) \
       -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARDEN_LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack

all: # the first one; a platform may bring rules of its own

# What of another system's platform is pure is tested on every one.
FREEBSD_PURE = platform/FreeBSD/match_count.c platform/FreeBSD/reset_filter.c \
       platform/FreeBSD/syn_cookies.c platform/FreeBSD/tcpstat.c

OS != uname -s
include platform/$(OS)/sources.mk

# The root of the MIB: make MIB_ROOT=1.3.6.1.4.1.<PEN>.<n>
MIB_ROOT =
ROOT_FLAG != test -z "$(MIB_ROOT)" || echo "-DMIB_ROOT=$(MIB_ROOT)" | tr . ,

CPPFLAGS = -I. -D_GNU_SOURCE $(ROOT_FLAG) $(PLATFORM_CPPFLAGS)
STANDARD = -std=gnu11
COMPILE  = $(CC) $(STANDARD) $(CPPFLAGS) $(WARN) $(CFLAGS) $(HARDEN)

# Stages without I/O, time or libraries: unit tests are linked with these and a source's own.
PURE = subagent/alarm.c subagent/average.c subagent/counted.c subagent/events.c subagent/ring.c \
       subagent/agentx_framing.c subagent/evidence_text.c subagent/pcapng.c \
       subagent/settings.c subagent/snapshot.c subagent/summary.c subagent/windows.c mib/objects.c \
       platform/estimate.c platform/peers.c platform/sample.c
SAMPLER = subagent/log.c subagent/sampler.c subagent/service.c subagent/supervisor.c \
       platform/replay.c $(PLATFORM_SOURCES)
AGENT = mib/asn.c mib/notify.c mib/requests.c subagent/agent.c subagent/agentx.c \
       subagent/agentx_transport.c subagent/archive.c subagent/capture.c subagent/captures.c subagent/config.c \
       subagent/evidence_files.c subagent/handover.c subagent/main.c subagent/store.c
RIGHTS = platform/inherited.c $(PLATFORM_RIGHTS)
SOURCES = $(PURE) $(SAMPLER) $(RIGHTS) $(AGENT)
HEADERS = mib/*.h mib/*.def platform/*.h platform/$(OS)/*.h $(PLATFORM_TABLES) subagent/*.h \
       subagent/*.def

# Groups of platform/deps.sh.
DEPS = build $(PLATFORM_DEPS)

# The sampler alone, without the agent's libraries.
SAMPLE_SOURCES = subagent/rstsample.c subagent/log.c subagent/ring.c subagent/sampler.c \
       platform/estimate.c platform/peers.c platform/replay.c platform/sample.c \
       $(PLATFORM_SOURCES)

LIBS = $(PLATFORM_LDFLAGS) $(PLATFORM_RIGHTS_LDFLAGS) -lnetsnmpagent -lnetsnmpmibs -lnetsnmp \
       -lsqlite3 -lconfuse -lm

UNIT_TESTS = agentx_framing alarm archive average capture config counted estimate events \
       match_count objects pcapng peers replay reset_filter ring sample sampler settings store syn_cookies tcpstat \
       windows $(PLATFORM_UNIT_TESTS)

all: $(BUILD)/rstwatchd $(BUILD)/rstsample texts

# What names the root.
TEXTS = mib/TCP-RESET-MIB.txt mib/RUNBOOK.md subagent/rstwatchd.8 README.md

# Of mib/nms, what operators import.
NMS = prometheus/README.md prometheus/grafana-dashboard.json prometheus/rules.yml \
      prometheus/snmp-0.21.yml prometheus/snmp.yml \
      zabbix/README.md zabbix/template.yaml zabbix/traphandle.sh \
      nagios/README.md nagios/icinga2.conf nagios/passive.sh nagios/rstwatch.cfg \
      snmptt/README.md snmptt/snmptt.conf telegraf/README.md telegraf/rstwatch.conf \
      librenms/README.md librenms/TcpResetEvent.php librenms/linux.yaml \
      opennms/README.md opennms/TCP-RESET-MIB.events.xml opennms/TCP-RESET-MIB.xml \
      opennms/tcp-reset-graph.properties

texts: $(BUILD)/command
	@mkdir -p $(BUILD)/at-root
	@for file in $(TEXTS); do \
	    sh mib/at-root.sh "$(MIB_ROOT)" $$file >$(BUILD)/at-root/$$(basename $$file) || exit 1; \
	done
	@for file in $(NMS); do \
	    mkdir -p $(BUILD)/at-root/nms/$$(dirname $$file) && \
	    sh mib/at-root.sh "$(MIB_ROOT)" mib/nms/$$file >$(BUILD)/at-root/nms/$$file || exit 1; \
	done

rstsample: $(BUILD)/rstsample

# One command for all of it: two seconds, and no list of dependencies to keep.
BUILD_DAEMON = $(COMPILE) -o $(BUILD)/rstwatchd $(SOURCES) $(HARDEN_LINK) $(LDFLAGS) $(LIBS)

$(BUILD)/rstwatchd: $(SOURCES) $(HEADERS) $(PLATFORM_GENERATED) $(BUILD)/command
	@sh platform/deps.sh check $(DEPS)
	$(BUILD_DAEMON)

BUILD_SAMPLE = $(COMPILE) -o $(BUILD)/rstsample $(SAMPLE_SOURCES) $(HARDEN_LINK) $(LDFLAGS) \
       $(PLATFORM_LDFLAGS)

$(BUILD)/rstsample: $(SAMPLE_SOURCES) $(HEADERS) $(PLATFORM_GENERATED) $(BUILD)/command
	@sh platform/deps.sh check $(PLATFORM_DEPS)
	$(BUILD_SAMPLE)

# Written only when it changes: with another BPF, CFLAGS or MIB_ROOT all is built anew.
# (It goes here, since a make that compares whole seconds might find it no older.)
$(BUILD)/command: always
	@mkdir -p $(BUILD)
	@echo '$(BUILD_DAEMON)' | cmp -s - $@ || \
	    { rm -f $(BUILD)/rstwatchd $(BUILD)/rstsample; echo '$(BUILD_DAEMON)' >$@; }

always:

# For those who only read the sources.
generated: $(PLATFORM_GENERATED)

deps:
	@sh platform/deps.sh install $(DEPS)

run:
	@sh platform/deps.sh install $(DEPS) run
	@$(MAKE) all
	@exec /usr/bin/python3 tests/demo/run.py

check:
	@sh platform/deps.sh install $(DEPS) run check
	@exec /usr/bin/python3 tests/check.py

# A directory with FreeBSD's usr/include; with its usr/lib, rstsample is linked as well.
FREEBSD_SYSROOT ?=

check-freebsd:
	@sh tests/lint/freebsd.sh "$(FREEBSD_SYSROOT)"

# Static analysis, one file after the other; .clang-tidy says what is left out.
analyse: $(PLATFORM_GENERATED)
	@sh platform/deps.sh install $(DEPS) check
	@for source in $(SOURCES) $(FREEBSD_PURE) subagent/rstsample.c; do \
	    gcc $(STANDARD) $(CPPFLAGS) $(WARN) -O1 -fanalyzer -c -o /dev/null $$source || exit 1; \
	done
	@clang-tidy --quiet $(SOURCES) $(FREEBSD_PURE) subagent/rstsample.c -- $(STANDARD) $(CPPFLAGS)

# test_rights has children whose system calls are cut short, and valgrind with them.
valgrind:
	@sh platform/deps.sh install $(DEPS) check
	@$(MAKE) unit
	@for test in $(filter-out rights,$(UNIT_TESTS)); do \
	    valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=all \
	        $(BUILD)/unit/$$test || exit 1; \
	done

bench:
	@sh platform/deps.sh install $(DEPS) run check bench
	@$(MAKE) all $(PLATFORM_BENCH)
	@exec /usr/bin/python3 tests/bench/bench.py

FUZZ_RUNS = 10000000

fuzz:
	@sh platform/deps.sh install $(DEPS) check
	@$(MAKE) fuzzers
	@exec /usr/bin/python3 tests/fuzz/run.py --runs $(FUZZ_RUNS)

PDU_RUNS = 500000

fuzz-pdu:
	@sh platform/deps.sh install $(DEPS) run check
	@$(MAKE) CC=gcc BUILD=$(BUILD)/gcc-san SANITIZED=yes all
	@RSTWATCHD=$(BUILD)/gcc-san/rstwatchd exec /usr/bin/python3 tests/fuzz/pdus.py --runs $(PDU_RUNS)

STRESS_SECONDS = 300

stress:
	@sh platform/deps.sh install $(DEPS) run check
	@$(MAKE) all
	@$(MAKE) CC=gcc BUILD=$(BUILD)/gcc-san SANITIZED=yes all
	@exec /usr/bin/python3 tests/stress/run.py --seconds $(STRESS_SECONDS)

DAY_SECONDS = 8640

day:
	@sh platform/deps.sh install $(DEPS) run check
	@$(MAKE) all
	@exec /usr/bin/python3 tests/stress/day.py --seconds $(DAY_SECONDS)

nms-test:
	@sh platform/deps.sh install $(DEPS) run check nms
	@$(MAKE) all
	@exec /usr/bin/python3 tests/nms/run.py

soak:
	@sh platform/deps.sh install $(DEPS) run check
	@$(MAKE) all
	@exec /usr/bin/python3 tests/soak/run.py

# What unit tests are linked with: all that needs no net-snmp.
UNIT_SOURCES = $(PURE) platform/replay.c $(PLATFORM_SOURCES) $(RIGHTS) $(FREEBSD_PURE) subagent/config.c \
       subagent/store.c subagent/evidence_files.c subagent/handover.c

# One binary a test; tests/check.py runs them.
unit: $(PLATFORM_GENERATED)
	@rm -rf $(BUILD)/unit $(BUILD)/objects && mkdir -p $(BUILD)/unit $(BUILD)/objects
	@for source in $(UNIT_SOURCES); do \
	    $(COMPILE) -c -o $(BUILD)/objects/$$(basename $$source .c).o $$source || exit 1; \
	done
	@for test in $(UNIT_TESTS); do \
	    $(COMPILE) $(UNIT_CPPFLAGS) -o $(BUILD)/unit/$$test tests/unit/test_$$test.c $(BUILD)/objects/*.o \
	        $(HARDEN_LINK) $(LDFLAGS) $(PLATFORM_LDFLAGS) $(PLATFORM_RIGHTS_LDFLAGS) \
	        -lcmocka -lsqlite3 -lconfuse -lpcap -lm || exit 1; \
	done

# libFuzzer's targets, one for each file of tests/fuzz: tests/fuzz/run.py.
FUZZ_FLAGS = clang $(STANDARD) $(CPPFLAGS) $(WARN) $(CFLAGS_yes)
FUZZ_SOURCES = $(UNIT_SOURCES) mib/asn.c mib/notify.c mib/requests.c

fuzzers: $(PLATFORM_GENERATED)
	@rm -rf $(BUILD)/fuzz/library* && mkdir -p $(BUILD)/fuzz/library
	@for source in $(FUZZ_SOURCES); do \
	    $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c \
	        -o $(BUILD)/fuzz/library/$$(echo $$source | tr / _ | sed 's/c$$/o/') $$source || exit 1; \
	done
	@ar rc $(BUILD)/fuzz/library.a $(BUILD)/fuzz/library/*.o
	@for source in tests/fuzz/*.c; do \
	    $(FUZZ_FLAGS) -fsanitize=fuzzer -o $(BUILD)/fuzz/$$(basename $$source .c) $$source \
	        $(BUILD)/fuzz/library.a $(LIBS) || exit 1; \
	done

install: $(BUILD)/rstwatchd $(BUILD)/rstsample texts $(PLATFORM_INSTALL)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8 \
	    $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/snmp/mibs \
	    $(DESTDIR)$(PREFIX)/share/doc/rstwatch
	install -m 755 $(BUILD)/rstwatchd $(BUILD)/rstsample $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 $(BUILD)/at-root/rstwatchd.8 subagent/rstsample.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 subagent/rstwatchd.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 $(BUILD)/at-root/TCP-RESET-MIB.txt $(DESTDIR)$(PREFIX)/share/snmp/mibs/
	install -m 644 subagent/rstwatchd.conf LICENSE NEWS.md $(BUILD)/at-root/README.md \
	    $(BUILD)/at-root/RUNBOOK.md \
	    $(DESTDIR)$(PREFIX)/share/doc/rstwatch/
	for file in $(NMS); do \
	    install -d $(DESTDIR)$(PREFIX)/share/doc/rstwatch/nms/$$(dirname $$file) && \
	    install -m 644 $(BUILD)/at-root/nms/$$file \
	        $(DESTDIR)$(PREFIX)/share/doc/rstwatch/nms/$$file || exit 1; \
	done

clean:
	rm -rf $(BUILD)

.PHONY: all texts rstsample always generated deps run check check-freebsd analyse valgrind fuzz fuzz-pdu fuzzers nms-test soak stress day bench unit install clean
