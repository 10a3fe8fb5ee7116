#!/usr/bin/env bash
# The main job, shown: bring the example up, look at it, take it down, leave nothing behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

for tool in anvil cast; do
    native=$(echo "$root"/.tools/chain/node_modules/@foundry-rs/"$tool"-*/bin)
    PATH=$native:$PATH
done
export PATH="$root/.venv/bin:$PATH"
if ! command -v anvil >/dev/null; then
    echo "cannot show the main job: npm has no anvil for this machine ($(uname -sm)), or make tools has not run" >&2
    exit 1
fi
HARNESS_STATE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/harness-demo.XXXXXX")
export HARNESS_STATE_DIR
# What is asked here is on this machine, whatever proxy leads out of it.
export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}" NO_PROXY="127.0.0.1,localhost"
unset HARNESS_FILE HARNESS_PROJECT
cd "$here"

clean_up() {
    harness daemon stop >/dev/null 2>&1 || true
    rm -rf "$HARNESS_STATE_DIR"
}
trap clean_up EXIT

bold='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\033[1m' plain=$'\033[0m'
fi
say() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; }
show() {
    say "$@"
    "$@"
}

show harness validate
show harness up
show harness status
show harness logs --tail 3
url=http://$(harness port follower http)
say curl "$url/blocks"
python3 -c "
import json, sys, urllib.request
blocks = json.load(urllib.request.urlopen(sys.argv[1] + '/blocks'))
for block in blocks[:3]:
    print(block['number'], block['hash'], len(block['transactions']), 'transaction')
print('…', len(blocks), 'blocks in all')
" "$url"
show harness down
show harness daemon stop
