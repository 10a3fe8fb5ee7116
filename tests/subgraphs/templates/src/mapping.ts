import { DataSourceContext } from "@graphprotocol/graph-ts";
import { Spawned } from "../generated/Playground/Playground";
import { Toy } from "../generated/schema";
import { Child } from "../generated/templates";

export function handleSpawned(event: Spawned): void {
  let toy = new Toy(event.params.child);
  toy.name = event.params.name;
  toy.save();

  let context = new DataSourceContext();
  context.setString("name", event.params.name);
  context.setBigInt("spawnedAt", event.block.number);
  Child.createWithContext(event.params.child, context);
}
