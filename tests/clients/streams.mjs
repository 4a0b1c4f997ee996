// node streams.mjs <client>: a query, a subscription, a mutation that makes a provider fail, and the end of the subscription.
// Prints what came as JSON, then stays, so that it can be seen that the subscription ended before the process did.
import { ApolloClient, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";

const url = process.env.GATEWAY_URL;
const wsUrl = url.replace("http", "ws");
const [chosen] = process.argv.slice(2);

const QUERY = "query { contacts(first: 1, providers: [GATELY]) { sources { provider state } } }";
const WATCH = "subscription { providerStatusChanged(providers: [GATELY]) { provider state fault { code } } }";
const CREATE = `mutation ($address: String!) {
  createContact(input: { name: "Ines Aalto", emails: [{ address: $address }], providers: [GATELY, KLEN] }) { status }
}`;

/** Both libraries have the same face. */
function plain(client) {
  const once = (query, variables) =>
    new Promise((resolve, reject) => {
      let result;
      client.subscribe({ query, variables }, { next: (one) => (result = one), error: reject, complete: () => resolve(result) });
    });
  return {
    query: once,
    mutate: once,
    watch: (next) => client.subscribe({ query: WATCH }, { next, error: fail, complete: () => {} }),
  };
}

function urql(options) {
  const client = new Client({ url, preferGetMethod: false, ...options });
  return {
    query: (query) => client.query(query, {}),
    mutate: (query, variables) => client.mutation(query, variables),
    watch: (next) => client.subscription(WATCH, {}).subscribe(next).unsubscribe,
  };
}

function apollo() {
  const link = new GraphQLWsLink(createWsClient({ url: wsUrl }));
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return {
    query: (query) => client.query({ query: gql(query) }),
    mutate: (query, variables) => client.mutate({ mutation: gql(query), variables, errorPolicy: "all" }),
    watch: (next) => {
      const subscription = client.subscribe({ query: gql(WATCH) }).subscribe({ next, error: fail });
      return () => subscription.unsubscribe();
    },
  };
}

const clients = {
  "graphql-ws": () => plain(createWsClient({ url: wsUrl })),
  "graphql-sse": () => plain(createSseClient({ url })),
  "urql over graphql-ws": () => {
    const ws = createWsClient({ url: wsUrl });
    const forwardSubscription = (request) => ({ subscribe: (sink) => ({ unsubscribe: ws.subscribe(request, sink) }) });
    return urql({ exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })] });
  },
  "urql over events": () => urql({ exchanges: [fetchExchange], fetchSubscriptions: true }),
  "apollo over graphql-ws": apollo,
};

function fail(error) {
  console.log(JSON.stringify({ failed: String(error?.message ?? error) }));
  process.exit(1);
}

const bare = (value) => JSON.parse(JSON.stringify(value, (key, inner) => (key === "__typename" ? undefined : inner)));

const client = clients[chosen]();
const events = [];
let heard = () => {};
const several = async (count) => {
  while (events.length < count) await new Promise((resolve) => (heard = resolve));
};

const queried = await client.query(QUERY);
const unsubscribe = client.watch((event) => {
  if (event.error) fail(event.error);
  events.push(event.data.providerStatusChanged);
  heard();
});
await several(1);
const mutated = await client.mutate(CREATE, { address: "500.gately@fault.test" });
await several(2);
unsubscribe();
// A change that nobody is to hear of any more.
await client.query(`${QUERY} # again`);
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(JSON.stringify(bare({ queried: queried.data, mutated: mutated.data, events })));
setInterval(() => {}, 1000);
