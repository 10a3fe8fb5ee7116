import { Traded } from "../generated/Playground/Playground";
import { Trade } from "../generated/schema";

export function handleTraded(event: Traded): void {
  let trade = new Trade(0); // graph-node numbers them by itself, and knows the time
  trade.amount = event.params.amount.toBigDecimal();
  trade.save();
}
