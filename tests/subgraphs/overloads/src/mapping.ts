import { Bytes, ethereum } from "@graphprotocol/graph-ts";
import { Playground, Said, Said1, Said2 } from "../generated/Playground/Playground";
import { Saying } from "../generated/schema";

export function handleText(event: Said): void {
  let contract = Playground.bind(event.address);
  remember(event, "text", event.params.text, contract.describe1(event.params.text));
}

export function handleNumber(event: Said1): void {
  let contract = Playground.bind(event.address);
  remember(event, "number", event.params.number.toString(), contract.describe2(event.params.number));
}

export function handleBoth(event: Said2): void {
  let contract = Playground.bind(event.address);
  let said = event.params.text + "/" + event.params.number.toString();
  remember(event, "both", said, contract.describe());
}

function remember(event: ethereum.Event, which: string, said: string, described: string): void {
  let id: Bytes = event.transaction.hash.concatI32(event.logIndex.toI32());
  let saying = new Saying(id);
  saying.event = which;
  saying.said = said;
  saying.described = described;
  saying.save();
}
