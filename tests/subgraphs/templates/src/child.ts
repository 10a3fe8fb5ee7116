import { dataSource } from "@graphprotocol/graph-ts";
import { Poked } from "../generated/templates/Child/Child";
import { Poke } from "../generated/schema";

export function handlePoked(event: Poked): void {
  let context = dataSource.context();
  let poke = new Poke(event.transaction.hash.concatI32(event.logIndex.toI32()));
  poke.toy = dataSource.address();
  poke.number = event.params.number;
  poke.name = context.getString("name");
  poke.spawnedAt = context.getBigInt("spawnedAt");
  poke.save();
}
