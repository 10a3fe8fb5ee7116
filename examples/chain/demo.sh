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
HARNESS_STATE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/harness-demo.XXXXXX")
export HARNESS_STATE_DIR
cd "$here"

clean_up() {
    harness daemon stop >/dev/null 2>&1 || true
    rm -rf "$HARNESS_STATE_DIR"
}
trap clean_up EXIT

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
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
