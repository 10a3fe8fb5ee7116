import { Published } from "../generated/Playground/Playground";
import { Publication } from "../generated/schema";
import { Document } from "../generated/templates";

export function handlePublished(event: Published): void {
  let publication = new Publication(event.transaction.hash);
  publication.cid = event.params.cid;
  publication.document = event.params.cid;
  publication.save();
  Document.create(event.params.cid);
}
