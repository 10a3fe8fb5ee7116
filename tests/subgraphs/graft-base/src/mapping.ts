import { Stored } from "../generated/Playground/Playground";
import { Note } from "../generated/schema";

export function handleStored(event: Stored): void {
  let note = new Note(event.params.id.toString());
  note.text = "base: " + event.params.text;
  note.save();
}
