import "./styles";
import "./workers";
import "./page.css";
import "graphiql/style.css";

import { createGraphiQLFetcher, StorageAPI } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { exampleTabs } from "./examples";

const { host, pathname, protocol } = window.location; // the page and the endpoint share one address

const fetcher = createGraphiQLFetcher({
  url: pathname,
  // Subscriptions: graphql-transport-ws, by the package graphql-ws, which is loaded with the first one.
  subscriptionUrl: `${protocol === "https:" ? "wss:" : "ws:"}//${host}${pathname}`,
  headers: { Accept: "application/graphql-response+json, application/json" },
  enableIncrementalDelivery: true,
});

// GraphiQL opens the first default tab without its variables, and forgets them as soon as another tab is chosen:
// https://github.com/graphql/graphiql/issues/3392. It does restore what it has stored, so the first visit starts with that.
const storage = new StorageAPI();
const [firstTab] = exampleTabs;
if (firstTab && storage.get("tabState") === null) {
  storage.set("query", firstTab.query);
  storage.set("variables", firstTab.variables ?? "");
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <GraphiQL fetcher={fetcher} defaultTabs={exampleTabs} defaultEditorToolsVisibility="variables">
      <GraphiQL.Logo>
        <span className="brand">Contact Gateway</span>
      </GraphiQL.Logo>
    </GraphiQL>
  </StrictMode>,
);
