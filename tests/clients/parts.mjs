// node parts.mjs <client> <contact>: an operation with @defer and @stream; prints every state that the client shows, as JSON.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange } from "@urql/core";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";

const url = process.env.GATEWAY_URL;
const wsUrl = url.replace("http", "ws");
const [chosen, id] = process.argv.slice(2);

const DEFERRED = `query($id: ID!) { contact(id: $id) { id ... @defer { name emails { address } } } }`;
const STREAMED = `query { contacts(first: 3) { edges @stream { node { id } } ... @defer { sources { provider state } } } }`;
const variables = { id };

const bare = (value) => JSON.parse(JSON.stringify(value, (key, inner) => (key === "__typename" ? undefined : inner)));

function fail(error) {
  console.log(JSON.stringify({ failed: String(error?.message ?? error) }));
  process.exit(1);
}

const apollo = (incrementalHandler, link = new HttpLink({ uri: url })) => async (query, variables) => {
  const client = new ApolloClient({ link, cache: new InMemoryCache(), incrementalHandler });
  const states = [];
  await new Promise((resolve) => {
    client.watchQuery({ query: gql(query), variables, errorPolicy: "all" }).subscribe({
      next: (result) => {
        if (result.error) fail(result.error);
        if (result.data) states.push(result.data);
        if (!result.loading && result.networkStatus === 7) resolve();
      },
      error: fail,
    });
  });
  return states;
};

const urql = async (query, variables) => {
  const client = new Client({ url, preferGetMethod: false, exchanges: [fetchExchange] });
  const states = [];
  await new Promise((resolve) => {
    client.query(query, variables ?? {}).subscribe((result) => {
      if (result.error) fail(result.error);
      states.push(result.data);
      if (!result.hasNext) resolve();
    });
  });
  return states;
};

/** These pass on what comes and leave putting it together to whoever asked. */
const plain = (client) => (query, variables) =>
  new Promise((resolve) => {
    const states = [];
    client.subscribe({ query, variables }, { next: (one) => states.push(one), error: fail, complete: () => resolve(states) });
  });

const clients = {
  apollo: () => apollo(new GraphQL17Alpha9Handler()),
  "apollo of the format before": () => apollo(new Defer20220824Handler()),
  "apollo over graphql-ws": () => apollo(new GraphQL17Alpha9Handler(), new GraphQLWsLink(createWsClient({ url: wsUrl }))),
  urql: () => urql,
  "graphql-sse": () => plain(createSseClient({ url })),
  "graphql-ws": () => plain(createWsClient({ url: wsUrl })),
};

const ask = clients[chosen]();
const deferred = await ask(DEFERRED, variables);
const streamed = await ask(STREAMED);
console.log(JSON.stringify(bare({ deferred, streamed })));
process.exit(0);
