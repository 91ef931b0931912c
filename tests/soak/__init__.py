"""`make soak`: outages, pauses, crashes and broken disks, and what became of each crossing.

Each scenario is a function that makes crossings while something goes wrong and
gives the soak.tally.Row of the table; tests/agentx/test_outages.py plays a
shorter cut of each. What should have happened is reckoned outside the daemon
(soak.reference), from when the resets were made.
"""
