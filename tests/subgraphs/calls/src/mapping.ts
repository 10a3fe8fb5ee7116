import { ethereum } from "@graphprotocol/graph-ts";
import { SpawnCall, StoreCall } from "../generated/Playground/Playground";
import { Call } from "../generated/schema";

export function handleStore(call: StoreCall): void {
  let given = call.inputs.id.toString() + "=" + call.inputs.text;
  remember(call, "store", given, null);
}

export function handleSpawn(call: SpawnCall): void {
  remember(call, "spawn", call.inputs.name, call.outputs.child.toHexString());
}

function remember(call: ethereum.Call, name: string, given: string, returned: string | null): void {
  let entity = new Call(call.transaction.hash);
  entity.name = name;
  entity.given = given;
  entity.returned = returned;
  entity.sender = call.from;
  entity.block = call.block.number;
  entity.save();
}
