// Vite reads the files while it builds, so the page loads no example over the network.
const queries = import.meta.glob<string>("../examples/*.graphql", { eager: true, import: "default", query: "?raw" });
const variables = import.meta.glob<string>("../examples/*.variables.json", { eager: true, import: "default", query: "?raw" });

/** The tabs of somebody who opens the page for the first time, in the order of the number in their file name. */
export const exampleTabs = Object.entries(queries)
  .sort(([path], [otherPath]) => path.localeCompare(otherPath))
  .map(([path, query]) => ({
    query: query.trimEnd(),
    variables: variables[path.replace(/\.graphql$/, ".variables.json")]?.trimEnd() ?? null,
  }));
