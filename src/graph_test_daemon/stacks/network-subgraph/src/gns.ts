import { BigInt, ByteArray, Bytes } from "@graphprotocol/graph-ts"
import {
  SignalMinted,
  SubgraphPublished,
  SubgraphVersionUpdated,
} from "../generated/GNS/GNS"
import { Subgraph } from "../generated/schema"

// Numbers are little-endian bytes here, of as many bytes as they need.
function idOf(subgraph: BigInt): Bytes {
  return Bytes.fromByteArray(ByteArray.fromBigInt(subgraph))
}

export function handlePublished(event: SubgraphPublished): void {
  let subgraph = new Subgraph(idOf(event.params.subgraphID))
  subgraph.deployment = event.params.subgraphDeploymentID
  subgraph.versions = 0
  subgraph.signalledTokens = BigInt.zero()
  subgraph.publishedAtBlock = event.block.number
  subgraph.save()
}

// Publishing tells of the first version, too.
export function handleVersion(event: SubgraphVersionUpdated): void {
  let subgraph = Subgraph.load(idOf(event.params.subgraphID))
  if (subgraph == null) return
  subgraph.deployment = event.params.subgraphDeploymentID
  subgraph.versions = subgraph.versions + 1
  subgraph.save()
}

export function handleSignal(event: SignalMinted): void {
  let subgraph = Subgraph.load(idOf(event.params.subgraphID))
  if (subgraph == null) return
  subgraph.signalledTokens = subgraph.signalledTokens.plus(event.params.tokensDeposited)
  subgraph.save()
}
