import { ethereum } from "@graphprotocol/graph-ts";
import { CalledBlock } from "../generated/schema";

export function handleCalled(block: ethereum.Block): void {
  let entity = new CalledBlock(block.hash);
  entity.number = block.number;
  entity.save();
}
