/** The build: one page a folder, no inline scripts, styles or data: assets, so that the CSP can stay at 'self'. */
import type { HtmlTagDescriptor, Plugin, Rollup } from "vite";
import { defineConfig } from "vitest/config";

const PAGES = ["home", "watch", "studio", "orders", "guardian", "ops", "login"];

/** A viewer's first script: all that it needs comes before the first picture, and nothing else does. */
const FIRST = /\/watch\/enter\.ts$/;

/** Ways to watch that few take: fetched by those who do. */
const ON_DEMAND = /\/lib\/(direct|hls)\/|\/node_modules\/hls\.js\//;

function chunkOf(id: string, { getModuleIds, getModuleInfo }: Rollup.ManualChunkMeta): string | undefined {
  if (!/\/(node_modules|lib)\//.test(id) || ON_DEMAND.test(id)) return undefined;
  const entry = [...getModuleIds()].find((each) => FIRST.test(each));
  return entry !== undefined && needed(entry, getModuleInfo).has(id) ? "first" : "kit";
}

/** A module and whatever runs before it can. */
function needed(id: string, infoOf: Rollup.GetModuleInfo, found = new Set<string>()): Set<string> {
  if (found.has(id)) return found;
  found.add(id);
  for (const each of infoOf(id)?.importedIds ?? []) needed(each, infoOf, found);
  return found;
}

/** What a first script fetches when it runs is named in its page; it says when that is due (watch/enter.ts). */
function namesWhatFollows(): Plugin {
  return {
    name: "names-what-follows",
    transformIndexHtml: { order: "post", handler: (_html, { bundle, chunk }) => (bundle && chunk ? following(bundle, chunk) : []) },
  };
}

function following(bundle: Rollup.OutputBundle, entry: Rollup.OutputChunk): HtmlTagDescriptor[] {
  const names = entry.dynamicImports.flatMap((name) => (ON_DEMAND.test(chunkIn(bundle, name)?.facadeModuleId ?? "") ? [] : [name, ...(chunkIn(bundle, name)?.imports ?? [])]));
  const later = [...new Set(names)].filter((name) => name !== entry.fileName && !entry.imports.includes(name));
  return later.flatMap((name) => [
    ...[...(chunkIn(bundle, name)?.viteMetadata?.importedCss ?? [])].map((css) => link("stylesheet", css)),
    link("modulepreload", name),
  ]);
}

function chunkIn(bundle: Rollup.OutputBundle, name: string): Rollup.OutputChunk | undefined {
  const found = bundle[name];
  return found?.type === "chunk" ? found : undefined;
}

const link = (rel: string, name: string): HtmlTagDescriptor =>
  ({ tag: "link", attrs: { "data-later": rel, crossorigin: true, href: `/${name}` }, injectTo: "head" });

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
      input: { ...Object.fromEntries(PAGES.map((page) => [page, `${page}/index.html`])), push: "push/worker.ts" },
      output: { manualChunks: chunkOf, entryFileNames: ({ name }) => (name === "push" ? "push.js" : "assets/[name]-[hash].js") },
    },
  },
  test: { environment: "node", include: ["**/*.test.ts"] },
});
