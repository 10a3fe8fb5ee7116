import { Moved, Playground } from "../generated/Playground/Playground";
import { Balance } from "../generated/schema";

export function handleMoved(event: Moved): void {
  let balance = new Balance(event.params.to);
  balance.amount = Playground.bind(event.address).balanceOf(event.params.to);
  balance.save();
}
