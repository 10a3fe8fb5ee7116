import { ethereum } from "@graphprotocol/graph-ts";
import { PolledBlock } from "../generated/schema";

export function handlePolled(block: ethereum.Block): void {
  let entity = new PolledBlock(block.hash);
  entity.number = block.number;
  entity.save();
}
