import { Traded } from "../generated/Playground/Playground";
import { Trade } from "../generated/schema";

export function handleTraded(event: Traded): void {
  let trade = new Trade(event.transaction.hash.concatI32(event.logIndex.toI32()));
  trade.amount = event.params.amount;
  trade.block = event.block.number;
  trade.save();
}
