import { BigInt } from "@graphprotocol/graph-ts";
import { Trade } from "../generated/subgraph-Followed";
import { Total } from "../generated/schema";

export function handleTrade(trade: Trade): void {
  let total = Total.load("all");
  if (total == null) {
    total = new Total("all");
    total.trades = 0;
    total.amount = BigInt.zero();
  }
  total.trades = total.trades + 1;
  total.amount = total.amount.plus(trade.amount);
  total.save();
}
