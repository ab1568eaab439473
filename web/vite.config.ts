/** The build: one page a folder, no inline scripts, styles or data: assets, so that the CSP can stay at 'self'. */
import { defineConfig } from "vitest/config";

const PAGES = ["home", "watch", "studio", "orders", "guardian", "ops", "login"];

export default defineConfig({
  base: "/",
  build: {
    outDir: "../livesale/web_dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: { input: Object.fromEntries(PAGES.map((page) => [page, `${page}/index.html`])) },
  },
  test: { environment: "node", include: ["**/*.test.ts"] },
});
