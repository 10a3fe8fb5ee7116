import { Stored } from "../generated/Playground/Playground";
import { Note } from "../generated/schema";

export function handleStored(event: Stored): void {
  let note = new Note(event.params.id.toString());
  note.text = "graft: " + event.params.text;
  note.by = event.params.by;
  note.save();
}
