"""A private laboratory: namespaces, snmpd, snmptrapd, the daemon, real resets.

Every part is a context manager that gives back all it took; what is left when
the interpreter ends anyway (a signal, a failure) is removed by lab.cleanup.
"""
