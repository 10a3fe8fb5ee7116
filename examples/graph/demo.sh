#!/usr/bin/env bash
# The protocol, shown: a stack of it comes up, a subgraph is built, deployed, published, signalled and
# allocated to, an epoch passes, the allocation is closed with its proof of indexing, and what it has
# earned is read back. Everything is taken down, and nothing is left behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

export PATH="$root/.venv/bin:$PATH"
state=$(mktemp -d "${TMPDIR:-/tmp}/graph-demo.XXXXXX")
export GRAPH_TEST_DAEMON_STATE_DIR=$state
# What is asked here is on this machine, whatever proxy leads out of it.
export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}" NO_PROXY="127.0.0.1,localhost"
unset GRAPH_TEST_DAEMON_FILE GRAPH_TEST_DAEMON_PROJECT
cd "$here"

clean_up() {
    graph-test-daemon daemon stop >/dev/null 2>&1 || true
    rm -rf "$state"
}
trap clean_up EXIT

bold='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\033[1m' plain=$'\033[0m'
fi
show() {
    printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
    "$@"
}

show graph-test-daemon up
show graph-test-daemon status
act() { show graph-test-daemon action run "$@"; }
# Prints what an expression makes of an action's result.
result() {
    local expression=$1
    shift
    graph-test-daemon action run "$@" --json |
        python3 -c "import json, sys; result = json.load(sys.stdin)['result']; print($expression)"
}

act network.deploy-subgraph --path network-subgraph --name graph/network --publish --signal 1000
deployment=$(result 'result["deployment"]' graph-node.status --subgraph graph/network)
act network.stake --tokens 100000
act network.allocate --deployment "$deployment" --tokens 50000
allocation=$(result 'result[0]["allocation"]' network.allocations --active)
act network.advance-epoch --count 2
act network.close-allocation --allocation "$allocation"
act graph-node.wait-for-sync --subgraph graph/network
act graph-node.query --subgraph graph/network --query '{
  subgraphs { signalledTokens versions }
  indexers { stakedTokens rewards }
  allocations { status tokens createdAtEpoch closedAtEpoch poi rewards }
}'
show graph-test-daemon down
show graph-test-daemon daemon stop
