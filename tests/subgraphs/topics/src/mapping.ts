import { Moved } from "../generated/Playground/Playground";
import { Move } from "../generated/schema";

export function handleMoved(event: Moved): void {
  let move = new Move(event.transaction.hash.concatI32(event.logIndex.toI32()));
  move.from = event.params.from;
  move.to = event.params.to;
  move.amount = event.params.amount;
  move.save();
}
