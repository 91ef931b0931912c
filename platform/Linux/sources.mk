# What is built on Linux. GNU make and BSD make read this.

# Without the BPF source, for a build without clang, bpftool and libbpf: make BPF=no
BPF = yes

PLATFORM_SOURCES = platform/Linux/readers.c platform/Linux/procfs.c \
                   platform/Linux/proc_text.c platform/Linux/components.c \
                   platform/Linux/exact.c platform/Linux/nftables.c \
                   $(BPF_SOURCES_$(BPF))
PLATFORM_CPPFLAGS = $(BPF_CPPFLAGS_$(BPF))
PLATFORM_LDFLAGS = $(BPF_LDFLAGS_$(BPF)) -lmnl
PLATFORM_RIGHTS = platform/Linux/landlock.c platform/Linux/rights.c \
                  platform/Linux/system_calls.c
PLATFORM_RIGHTS_LDFLAGS = -lcap-ng -lseccomp
PLATFORM_INSTALL = install-unit
PLATFORM_TABLES = platform/Linux/*.def
PLATFORM_GENERATED = $(BPF_GENERATED_$(BPF))
PLATFORM_UNIT_TESTS = components freebsd_bpf proc_text rights $(BPF_UNIT_TESTS_$(BPF))
UNIT_CPPFLAGS = -Itests/unit/freebsd # imitates FreeBSD's, for the test freebsd_bpf
PLATFORM_DEPS = Linux $(BPF_DEPS_$(BPF))

BPF_SOURCES_yes = platform/Linux/bpf.c platform/Linux/peer_maps.c platform/Linux/pulse.c \
                  platform/Linux/records.c
BPF_SOURCES_no = platform/Linux/bpf_missing.c
BPF_CPPFLAGS_yes = -I$(BUILD)
BPF_LDFLAGS_yes = -lbpf
BPF_UNIT_TESTS_yes = records
BPF_GENERATED_yes = $(BUILD)/count.skel.h
BPF_DEPS_yes = bpf

# For make bench.
PLATFORM_BENCH = packet_cost $(BPF_BENCH_$(BPF))
BPF_BENCH_yes = count_cost empty_hook

packet_cost:
	$(COMPILE) -o $(BUILD)/$@ tests/bench/$@.c

count_cost empty_hook: $(PLATFORM_GENERATED)
	$(COMPILE) -o $(BUILD)/$@ tests/bench/$@.c -lbpf

.PHONY: packet_cost count_cost empty_hook

install-unit:
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/sbin/|$(PREFIX)/sbin/|' platform/Linux/rstwatchd.service >$(BUILD)/rstwatchd.service
	install -m 644 $(BUILD)/rstwatchd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/

deb:
	@sh platform/deps.sh install $(DEPS) deb
	@sh platform/Linux/deb.sh $(BUILD)

deb-test:
	@sh platform/deps.sh install $(DEPS) run check deb
	@$(MAKE) texts
	@exec /usr/bin/python3 tests/deb/run.py

.PHONY: install-unit deb deb-test

BPF_CLANG = clang
BPFTOOL = bpftool

# The second step leaves out what only a debugger reads. What bpftool writes is no fault of ours,
# and clang-tidy is told so.
BPF_HEADERS = platform/Linux/*.bpf.h platform/Linux/count.h platform/Linux/cause_rules.def \
              platform/causes.h mib/causes.def

$(BUILD)/count.skel.h: platform/Linux/count.bpf.c $(BPF_HEADERS)
	@sh platform/deps.sh check bpf
	@mkdir -p $(BUILD)
	$(BPF_CLANG) -target bpf -O2 -g $(WARN) -I. -c -o $(BUILD)/count.bpf.o platform/Linux/count.bpf.c
	PATH=$$PATH:/usr/sbin:/sbin; $(BPFTOOL) gen object $(BUILD)/count.o $(BUILD)/count.bpf.o && \
	    { echo '// NOLINTBEGIN' && $(BPFTOOL) gen skeleton $(BUILD)/count.o name count && \
	        echo '// NOLINTEND'; } > $@.new && mv $@.new $@
