/** The watch page: the L-frame of teleshopping on a wide screen, a lower third on a phone. */
import { Sheet } from "../lib/checkout/sheet";
import { mount } from "../lib/mount";
import { Failed, Loading } from "../lib/pieces";
import type { Replay } from "../lib/shapes";
import { Bar } from "../lib/shell";
import { AlsoOnAir, Card } from "./card";
import { Chat } from "./chat";
import { watching } from "./enter";
import { Info, WatchBar } from "./live";
import { Rail } from "./rail";
import { Chapters, replay, ReplayCard, ReplayInfo, ReplayPicture, useReplay } from "./replay";
import { Stage } from "./stage";
import { say } from "./words";

function Watch() {
  useReplay(watching.known.value?.show.state === "ended" ? watching.show : undefined);
  if (watching.failure.value !== null) {
    return <><Bar here="/watch" /><main id="content" class="page"><Failed error={watching.failure.value} retry={() => void watching.load()} /></main></>;
  }
  if (!watching.known.value) return <main id="content" class="stage watch-wait"><Loading heights={["56px", "50vh", "160px"]} /></main>;
  const ended = watching.known.value.show.state === "ended";
  if (ended && replay.value) return <Recorded recording={replay.value} />;
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

/** The same frame for what is over: the picture with its own time bar, chapters below, today's price on the card. */
function Recorded({ recording }: { recording: Replay }) {
  const purchase = watching.sheetOpen.value ? watching.purchase.value : null;
  return (
    <main id="content" class="stage watch watch-replay" data-buying={purchase ? "" : undefined}>
      <WatchBar watching={watching} />
      <ReplayPicture recording={recording} />
      <ReplayInfo recording={recording} />
      <div class="watch-card" hidden={purchase !== null}><ReplayCard watching={watching} recording={recording} /></div>
      {purchase && <Sheet purchase={purchase} close={() => watching.closeSheet()} instead={null} />}
      <Chapters recording={recording} />
    </main>
  );
}

mount(Watch, () => watching.known.value?.show.title ?? say("watch"));
