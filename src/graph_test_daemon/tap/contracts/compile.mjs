// Compiles the contracts beside it into EscrowForTests.json: ABI and code of each.
// npm install --ignore-scripts solc@0.8.30 && NODE_PATH=$PWD/node_modules node compile.mjs [OUTPUT]
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "0.8.30";
const SOURCE = "EscrowForTests.sol";
const here = dirname(fileURLToPath(import.meta.url));
const solc = createRequire(import.meta.url)("solc");

if (!solc.version().startsWith(`${VERSION}+`)) {
  throw new Error(`solc is ${solc.version()}, and ${VERSION} is wanted`);
}
const input = {
  language: "Solidity",
  sources: { [SOURCE]: { content: readFileSync(join(here, SOURCE), "utf8") } },
  settings: {
    evmVersion: "paris", // older chains have no later one
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const { formattedMessage } of output.errors ?? []) {
  process.stderr.write(formattedMessage);
}
const compiled = output.contracts?.[SOURCE];
if (!compiled || (output.errors ?? []).length > 0) process.exit(1);
const contracts = {};
for (const name of ["EscrowForTests", "TokenForTests"]) {
  const { abi, evm } = compiled[name];
  contracts[name] = { abi, bytecode: `0x${evm.bytecode.object}` };
}
const document = { compiler: VERSION, source: SOURCE, contracts };
writeFileSync(process.argv[2] ?? join(here, "EscrowForTests.json"), `${JSON.stringify(document, null, 1)}\n`);
