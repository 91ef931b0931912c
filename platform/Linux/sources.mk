# What is built on Linux. GNU make and BSD make read this.
PLATFORM_SOURCES = platform/Linux/readers.c platform/Linux/procfs.c \
                   platform/Linux/proc_text.c platform/Linux/estimate.c \
                   platform/Linux/components.c
