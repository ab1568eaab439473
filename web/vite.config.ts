/** The build: one page a folder, no inline scripts, styles or data: assets, so that the CSP can stay at 'self'. */
import type { HtmlTagDescriptor, Plugin, Rollup } from "vite";
import { defineConfig } from "vitest/config";

const PAGES = ["home", "watch", "studio", "orders", "guardian", "ops", "login"];

/** What has to run before a viewer can join; a request each for the rest would come before the first picture, too. */
const FIRST = /\/node_modules\/(preact|@preact|@msgpack|@fontsource)|\/lib\/(checkout\/)?[a-z0-9]+\.ts$|\/lib\/(mount\.tsx|(tokens|controls)\.css)$/;

/** Ways to watch that few take: fetched by those who do. */
const ON_DEMAND = /\/lib\/(direct|hls)\/|\/node_modules\/hls\.js\//;

function chunkOf(id: string): string | undefined {
  if (ON_DEMAND.test(id)) return undefined;
  if (FIRST.test(id)) return "first";
  return /\/(node_modules|lib)\//.test(id) ? "kit" : undefined;
}

/** What a first script fetches when it runs is named in its page, so that all of it is on its way at once. */
function namesWhatFollows(): Plugin {
  return {
    name: "names-what-follows",
    transformIndexHtml: { order: "post", handler: (_html, { bundle, chunk }) => (bundle && chunk ? following(bundle, chunk) : []) },
  };
}

function following(bundle: Rollup.OutputBundle, entry: Rollup.OutputChunk): HtmlTagDescriptor[] {
  const names = entry.dynamicImports.flatMap((name) => [name, ...(chunkIn(bundle, name)?.imports ?? [])]);
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
      input: { ...Object.fromEntries(PAGES.map((page) => [page, `${page}/index.html`])), push: "push/worker.ts" },
      output: { manualChunks: chunkOf, entryFileNames: ({ name }) => (name === "push" ? "push.js" : "assets/[name]-[hash].js") },
    },
  },
  test: { environment: "node", include: ["**/*.test.ts"] },
});
