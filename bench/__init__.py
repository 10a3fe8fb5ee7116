"""Speed, size and fidelity of the harness, measured beside its peers in one run.

`python -m bench` installs the peers into `.tools/bench` of the project, runs every row and prints
one table. Nothing here is a test: a row that misses its target is marked, and the run ends with 0.
"""
