import { EpochRun } from "../generated/EpochManager/EpochManager"
import { Epoch } from "../generated/schema"

export function handleEpochRun(event: EpochRun): void {
  let epoch = new Epoch(event.params.epoch.toString())
  epoch.number = event.params.epoch
  epoch.runAtBlock = event.block.number
  epoch.save()
}
