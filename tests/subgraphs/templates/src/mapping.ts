import { DataSourceContext } from "@graphprotocol/graph-ts";
import { Spawned } from "../generated/Playground/Playground";
import { Child } from "../generated/schema";
import { Child as ChildTemplate } from "../generated/templates";

export function handleSpawned(event: Spawned): void {
  let child = new Child(event.params.child);
  child.name = event.params.name;
  child.save();

  let context = new DataSourceContext();
  context.setString("name", event.params.name);
  context.setBigInt("spawnedAt", event.block.number);
  ChildTemplate.createWithContext(event.params.child, context);
}
