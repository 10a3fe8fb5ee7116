import { Sent as SentEvent } from "../generated/Token/Token"
import { Sent } from "../generated/schema"

export function handleSent(event: SentEvent): void {
  let sent = new Sent(event.transaction.hash)
  sent.value = event.params.value
  sent.save()
}
