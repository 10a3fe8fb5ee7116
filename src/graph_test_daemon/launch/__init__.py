"""Launches the programs of the stack: `python -m graph_test_daemon.launch anvil --port 8545`.

Each prepares what its program needs and becomes it, so that the process that the harness started is
the program itself. It is a part of how long a stack takes to come up: what becomes another program
imports the standard library only.
"""
