/** Starts a page: type, colours, title, and the account if there is one. */
import "@fontsource-variable/archivo/wdth.css";
import "./tokens.css";
import "./controls.css";
import { effect } from "@preact/signals";
import { options, render, type ComponentType } from "preact";
import { loadMe } from "./session";

// What has arrived with the state that is drawn (the picture behind its welcome) goes first.
options.debounceRendering = (draw) => { setTimeout(draw); };

export function mount(Page: ComponentType, title: () => string): void {
  effect(() => { document.title = `${title()} · livesale`; });
  void loadMe();
  const show = (): void => { render(<Page />, document.getElementById("app") as HTMLElement); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show, { once: true });
  else show();
}
