#!/usr/bin/python3
"""Program: refuse_bpf.py ARGUMENT...

Becomes the program in $REFUSED_PROGRAM with these arguments, and a filter of
system calls that answers bpf() with the error in $REFUSED_ERRNO.
"""

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7fff0000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
BPF_SYSTEM_CALL = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[platform.machine()]


def instruction(code, value, jump_true=0, jump_false=0):
    return struct.pack("HBBI", code, jump_true, jump_false, value)


program = ctypes.create_string_buffer(
    instruction(LOAD, 0)  # its number
    + instruction(JUMP_IF_EQUAL, BPF_SYSTEM_CALL, 0, 1)
    + instruction(RETURN, SECCOMP_RET_ERRNO | int(os.environ["REFUSED_ERRNO"]))
    + instruction(RETURN, SECCOMP_RET_ALLOW))
filter_program = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0):
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execv(os.environ["REFUSED_PROGRAM"], [os.environ["REFUSED_PROGRAM"], *sys.argv[1:]])
