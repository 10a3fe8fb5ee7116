#!/bin/sh
# Compiles the contracts anew: tests/subgraphs/contracts/compile.sh; needs Node.js and npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
npm install --silent --no-save --ignore-scripts --no-audit --no-fund --prefix "$place" solc@0.8.30
NODE_PATH="$place/node_modules" node "$here/compile.js" "$here"
