import { Playground, Stored } from "../generated/Playground/Playground";
import { Half } from "../generated/schema";

export function handleStored(event: Stored): void {
  let half = new Half(event.params.id.toString());
  let answer = Playground.bind(event.address).try_half(event.params.id);
  half.refused = answer.reverted;
  if (!answer.reverted) {
    half.half = answer.value;
  }
  half.save();
}
