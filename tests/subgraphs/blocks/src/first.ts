import { ethereum } from "@graphprotocol/graph-ts";
import { FirstBlock } from "../generated/schema";

export function handleFirst(block: ethereum.Block): void {
  let entity = new FirstBlock(block.hash);
  entity.number = block.number;
  entity.save();
}
