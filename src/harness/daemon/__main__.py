"""`python -m harness.daemon`."""

from harness.daemon import main

raise SystemExit(main())
