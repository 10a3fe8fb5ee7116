"""`python -m graph_test_daemon`, the same as `graph-test-daemon`."""

from graph_test_daemon import main

main()
