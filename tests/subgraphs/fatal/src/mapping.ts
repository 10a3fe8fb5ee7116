import { Stored } from "../generated/Playground/Playground";
import { Note } from "../generated/schema";

export function handleStored(event: Stored): void {
  assert(event.params.text != "fatal", "this text cannot be handled");
  let note = new Note(event.params.id.toString());
  if (event.params.text != "missing") note.text = event.params.text;
  note.save();
}
