/** How many pieces: fewer, the number, more. */
import { Minus, Plus } from "lucide-preact";
import { say } from "./words";

interface QuantityProps { quantity: number; most: number; set: (quantity: number) => void }

export function Quantity({ quantity, most, set }: QuantityProps) {
  if (most <= 1) return null;
  return (
    <div class="quantity" role="group" aria-label={say("buyMore")}>
      <button type="button" onClick={() => set(quantity - 1)} disabled={quantity <= 1} aria-label={say("fewer")}><Minus size={16} aria-hidden="true" /></button>
      <output class="figures">{quantity}</output>
      <button type="button" onClick={() => set(quantity + 1)} disabled={quantity >= most} aria-label={say("more")}><Plus size={16} aria-hidden="true" /></button>
    </div>
  );
}
