import { Placed, Stored } from "../generated/Playground/Playground";
import { Note, Place } from "../generated/schema";

export function handleStored(event: Stored): void {
  let id = event.params.id.toString();
  let note = Note.load(id);
  if (note == null) {
    note = new Note(id);
    note.changes = 0;
  }
  note.text = event.params.text;
  note.by = event.params.by;
  note.changes = note.changes + 1;
  note.save();
}

export function handlePlaced(event: Placed): void {
  let place = new Place(event.transaction.hash.concatI32(event.logIndex.toI32()));
  place.number = event.params.id;
  place.x = event.params.point.x;
  place.y = event.params.point.y;
  place.label = event.params.point.label;
  place.path = event.params.path;
  place.save();
}
