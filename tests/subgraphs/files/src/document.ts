import { Bytes, dataSource } from "@graphprotocol/graph-ts";
import { Document } from "../generated/schema";

export function handleDocument(content: Bytes): void {
  let document = new Document(dataSource.stringParam());
  document.text = content.toString();
  document.save();
}
