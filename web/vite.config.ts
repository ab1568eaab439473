/** The build: one page a folder, no inline scripts, styles or data: assets, so that the CSP can stay at 'self'. */
import type { HtmlTagDescriptor, Plugin, Rollup } from "vite";
import { defineConfig } from "vitest/config";

const PAGES = ["home", "watch", "studio", "orders", "guardian", "ops", "login"];

/** A viewer waits for these together; every further file would be one more request before the first picture. */
function chunkOf(id: string): string | undefined {
  if (/\/(hub|wire|rejoin|player|playout|cue|showstate)\.ts$|@msgpack/.test(id)) return "live";
  if (/\/node_modules\/|\/web\/lib\//.test(id)) return "kit";
  return undefined;
}

/** What a first script fetches when it runs is named in its page, so that all of it is on its way at once. */
function namesWhatFollows(): Plugin {
  return {
    name: "names-what-follows",
    transformIndexHtml: { order: "post", handler: (_html, { bundle, chunk }) => (bundle && chunk ? following(bundle, chunk) : []) },
  };
}

function following(bundle: Rollup.OutputBundle, entry: Rollup.OutputChunk): HtmlTagDescriptor[] {
  const later = entry.dynamicImports.map((name) => bundle[name]).filter((one): one is Rollup.OutputChunk => one?.type === "chunk");
  return later.flatMap((chunk) => [
    ...[...(chunk.viteMetadata?.importedCss ?? [])].map((name) => link("stylesheet", name)),
    link("modulepreload", chunk.fileName),
  ]);
}

const link = (rel: string, name: string): HtmlTagDescriptor =>
  ({ tag: "link", attrs: { rel, crossorigin: true, href: `/${name}` }, injectTo: "head" });

export default defineConfig({
  base: "/",
  plugins: [namesWhatFollows()],
  build: {
    outDir: "../livesale/web_dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: {
      input: Object.fromEntries(PAGES.map((page) => [page, `${page}/index.html`])),
      output: { manualChunks: chunkOf },
    },
  },
  test: { environment: "node", include: ["**/*.test.ts"] },
});
