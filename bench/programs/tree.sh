#!/bin/sh
# A service with two difficult children: one ignores TERM, one made its own session.
# Usage: tree.sh FIFO
sh -c 'trap "" TERM; echo "stubborn $$" > "$0"; while :; do sleep 1000; done' "$1" &
setsid sh -c 'echo "escaped $$" > "$0"; exec sleep 100000' "$1" &
echo "parent $$" > "$1"
trap 'exit 0' TERM
while :; do sleep 1000 & wait $!; done
