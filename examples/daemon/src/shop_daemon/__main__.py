"""`python -m shop_daemon`, the same as `shop`."""

from shop_daemon import main

main()
