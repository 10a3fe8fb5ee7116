// Writes NAME.json, with `abi` and `bytecode`, beside Playground.sol for each contract in it.
"use strict";

const fs = require("fs");
const path = require("path");
const solc = require("solc");

const here = process.argv[2];
const source = "Playground.sol";
const input = {
  language: "Solidity",
  sources: { [source]: { content: fs.readFileSync(path.join(here, source), "utf8") } },
  settings: {
    evmVersion: "paris",
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors || []) {
  console.error(problem.formattedMessage);
  if (problem.severity === "error") process.exitCode = 1;
}
for (const [name, contract] of Object.entries((output.contracts || {})[source] || {})) {
  const artifact = { contractName: name, abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
  fs.writeFileSync(path.join(here, `${name}.json`), JSON.stringify(artifact, null, 1) + "\n");
}
