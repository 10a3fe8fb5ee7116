// All handlers in one module: it is compiled once, and each data source gets the same.
export { handleEpochRun } from "./epochs"
export { handlePublished, handleSignal, handleVersion } from "./gns"
export { handleRewards } from "./rewards"
export {
  handleAllocationClosed,
  handleAllocationCreated,
  handleCollected,
  handleDelegation,
  handleDeposit,
  handleWithdrawal,
} from "./staking"
