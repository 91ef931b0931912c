# What is built on FreeBSD. GNU make and BSD make read this.

PLATFORM_SOURCES = platform/FreeBSD/readers.c platform/FreeBSD/bpf.c platform/FreeBSD/sysctl.c \
                   platform/FreeBSD/interfaces.c platform/FreeBSD/kernel_tcp.c \
                   platform/FreeBSD/self_check.c platform/FreeBSD/tcp_layout.c \
                   $(FREEBSD_PURE)
PLATFORM_CPPFLAGS = -I/usr/local/include \
                    -DDEFAULT_CONFIG=\"/usr/local/etc/rstwatch/rstwatchd.conf\" \
                    -DDEFAULT_STATE_DIRECTORY=\"/var/db/rstwatch\"
PLATFORM_LDFLAGS = -L/usr/local/lib
PLATFORM_RIGHTS = platform/FreeBSD/rights.c
PLATFORM_TABLES = platform/FreeBSD/*.def
PLATFORM_DEPS =
PLATFORM_INSTALL = install-freebsd

install-freebsd:
	install -d $(DESTDIR)$(PREFIX)/etc/rc.d $(DESTDIR)$(PREFIX)/etc/rstwatch
	sed 's|%%PREFIX%%|$(PREFIX)|' platform/FreeBSD/rstwatchd.in >$(BUILD)/rstwatchd.rc
	install -m 555 $(BUILD)/rstwatchd.rc $(DESTDIR)$(PREFIX)/etc/rc.d/rstwatchd
	sed 's|/var/lib/|/var/db/|' subagent/rstwatchd.conf >$(BUILD)/rstwatchd.conf.sample
	install -m 644 $(BUILD)/rstwatchd.conf.sample $(DESTDIR)$(PREFIX)/etc/rstwatch/

.PHONY: install-freebsd
