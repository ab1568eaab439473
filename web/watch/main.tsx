/** The watch page: the L-frame of teleshopping on a wide screen, a lower third on a phone. */
import { Sheet } from "../lib/checkout/sheet";
import { mount } from "../lib/mount";
import { Failed, Loading } from "../lib/pieces";
import { Bar } from "../lib/shell";
import { AlsoOnAir, Card } from "./card";
import { Chat } from "./chat";
import { watching } from "./enter";
import { Info, WatchBar } from "./live";
import { Rail } from "./rail";
import { Stage } from "./stage";
import "./watch.css";
import { say } from "./words";

function Watch() {
  if (watching.failure.value !== null) {
    return <><Bar here="/watch" /><main id="content" class="page"><Failed error={watching.failure.value} retry={() => void watching.load()} /></main></>;
  }
  if (!watching.known.value) return <div class="stage watch-wait"><Loading heights={["56px", "50vh", "160px"]} /></div>;
  const purchase = watching.sheetOpen.value ? watching.purchase.value : null;
  return (
    <main id="content" class="stage watch" data-buying={purchase ? "" : undefined} data-lifted={watching.lifted.value ? "" : undefined}>
      <WatchBar watching={watching} />
      <Stage watching={watching} />
      <Info watching={watching} />
      <div class="watch-card" hidden={purchase !== null}><Card watching={watching} /><AlsoOnAir watching={watching} /></div>
      {purchase && <Sheet purchase={purchase} close={() => watching.closeSheet()} instead={watching.insteadOf(purchase.wish.offer)} />}
      <Rail watching={watching} />
      <Chat watching={watching} />
    </main>
  );
}

mount(Watch, () => watching.known.value?.show.title ?? say("watch"));
