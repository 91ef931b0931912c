"""Tests of the whole daemon: a real snmpd, a real snmptrapd, real resets."""
