import { BigDecimal } from "@graphprotocol/graph-ts";
import { Measured } from "../generated/Playground/Playground";
import { Measure } from "../generated/schema";

export function handleMeasured(event: Measured): void {
  let measure = new Measure(event.transaction.hash);
  let params = event.params;
  measure.small = params.small.toI64();
  measure.middle = i32(params.small.toI64() % 1000);
  measure.big = params.big;
  measure.unsigned = params.unsigned;
  measure.decimal = params.big.toBigDecimal().div(BigDecimal.fromString("8"));
  measure.data = params.data;
  measure.word = params.word;
  measure.flag = params.flag;
  measure.who = params.who;
  measure.text = params.text;
  measure.at = event.block.timestamp.toI64() * 1000000;
  measure.kind = params.small.toI64() < 0 ? "NEGATIVE" : "POSITIVE";
  measure.list = [params.text, params.word.toHexString()];
  measure.save();

  // What is read back is what was stored.
  let back = Measure.load(event.transaction.hash)!;
  assert(back.small == params.small.toI64(), "Int8");
  assert(back.big == params.big, "BigInt");
  assert(back.data == params.data, "Bytes");
  assert(back.at == event.block.timestamp.toI64() * 1000000, "Timestamp");
}
