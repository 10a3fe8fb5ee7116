import { Address, BigInt } from "@graphprotocol/graph-ts"
import { Indexer } from "../generated/schema"

export function indexerOf(address: Address): Indexer {
  let indexer = Indexer.load(address)
  if (indexer == null) {
    indexer = new Indexer(address)
    indexer.stakedTokens = BigInt.zero()
    indexer.delegatedTokens = BigInt.zero()
    indexer.rewards = BigInt.zero()
  }
  return indexer
}
