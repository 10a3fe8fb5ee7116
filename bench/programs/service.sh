#!/bin/sh
# A service: says its name and pid into the FIFO, then sleeps until a signal ends it.
echo "$1 $$" > "$2"
exec sleep 100000
