import { defineConfig } from "vite";

export default defineConfig({
  // The page itself is served at /graphql; gateway/http/graphiql.py serves what it loads below this path.
  base: "/graphiql/",
  build: {
    // Files, not data: URLs, so that a Content-Security-Policy can name our own origin.
    assetsInlineLimit: 0,
    // Monaco is one chunk of about 3 MB; splitting it would save nothing, the page needs all of it.
    chunkSizeWarningLimit: 5_000,
    // "use client" in the libraries speaks to React servers; there is none here, so losing it loses nothing.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
