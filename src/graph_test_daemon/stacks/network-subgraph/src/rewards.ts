import { HorizonRewardsAssigned } from "../generated/RewardsManager/RewardsManager"
import { Allocation } from "../generated/schema"
import { indexerOf } from "./indexers"

export function handleRewards(event: HorizonRewardsAssigned): void {
  let indexer = indexerOf(event.params.indexer)
  indexer.rewards = indexer.rewards.plus(event.params.amount)
  indexer.save()
  let allocation = Allocation.load(event.params.allocationID)
  if (allocation == null) return
  allocation.rewards = allocation.rewards.plus(event.params.amount)
  allocation.save()
}
