import { store } from "@graphprotocol/graph-ts";
import { Removed, Stored } from "../generated/Playground/Playground";
import { Note } from "../generated/schema";

export function handleStored(event: Stored): void {
  let id = event.params.id.toString();
  // Removed and made again in one handler: what is stored is the new one, without the old fields.
  store.remove("Note", id);
  let note = new Note(id);
  note.text = event.params.text;
  note.save();
}

export function handleRemoved(event: Removed): void {
  store.remove("Note", event.params.id.toString());
}
