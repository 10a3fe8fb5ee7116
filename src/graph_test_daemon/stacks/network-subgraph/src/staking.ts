import { BigInt } from "@graphprotocol/graph-ts"
import {
  AllocationClosed,
  AllocationCreated,
  RebateCollected,
  StakeDelegated,
  StakeDeposited,
  StakeWithdrawn,
} from "../generated/Staking/Staking"
import { Allocation } from "../generated/schema"
import { indexerOf } from "./indexers"

export function handleDeposit(event: StakeDeposited): void {
  let indexer = indexerOf(event.params.indexer)
  indexer.stakedTokens = indexer.stakedTokens.plus(event.params.tokens)
  indexer.save()
}

export function handleWithdrawal(event: StakeWithdrawn): void {
  let indexer = indexerOf(event.params.indexer)
  indexer.stakedTokens = indexer.stakedTokens.minus(event.params.tokens)
  indexer.save()
}

export function handleDelegation(event: StakeDelegated): void {
  let indexer = indexerOf(event.params.indexer)
  indexer.delegatedTokens = indexer.delegatedTokens.plus(event.params.tokens)
  indexer.save()
}

export function handleAllocationCreated(event: AllocationCreated): void {
  let allocation = new Allocation(event.params.allocationID)
  allocation.indexer = event.params.indexer
  allocation.deployment = event.params.subgraphDeploymentID
  allocation.tokens = event.params.tokens
  allocation.createdAtEpoch = event.params.epoch
  allocation.queryFees = BigInt.zero()
  allocation.rewards = BigInt.zero()
  allocation.status = "Active"
  allocation.save()
}

export function handleAllocationClosed(event: AllocationClosed): void {
  let allocation = Allocation.load(event.params.allocationID)
  if (allocation == null) return
  allocation.closedAtEpoch = event.params.epoch
  allocation.poi = event.params.poi
  allocation.status = "Closed"
  allocation.save()
}

export function handleCollected(event: RebateCollected): void {
  let allocation = Allocation.load(event.params.allocationID)
  if (allocation == null) return
  allocation.queryFees = allocation.queryFees.plus(event.params.queryRebates)
  allocation.save()
}
