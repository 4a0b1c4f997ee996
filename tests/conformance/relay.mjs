// node relay.mjs: Relay's runtime over the artifacts that relay-compiler made of relay/operations.js, as JSON.
import relay from "relay-runtime";

import CARD_AGAIN from "./relay/__generated__/operationsCardRefetchQuery.graphql.js";
import CREATE from "./relay/__generated__/operationsCreateMutation.graphql.js";
import LIST from "./relay/__generated__/operationsListQuery.graphql.js";
import LIST_ON from "./relay/__generated__/operationsListPaginationQuery.graphql.js";

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery } = relay;

async function ask({ text }, variables) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  const answer = await fetch(process.env.GATEWAY_URL, {
    method: "POST",
    headers,
    body: JSON.stringify({ query: text, variables }),
  });
  return await answer.json();
}

const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });
const CONNECTION = "client:root:__operations_list_contacts_connection";

function kept() {
  const source = environment.getStore().getSource();
  const edges = source.get(CONNECTION)?.edges?.__refs ?? [];
  const ids = edges.map((edge) => source.get(source.get(edge).node.__ref).id);
  return { ids, pageInfo: source.get(source.get(CONNECTION).pageInfo.__ref) };
}

async function page(query, variables) {
  await fetchQuery(environment, query, variables).toPromise();
  environment.retain(createOperationDescriptor(query, variables));
  return kept();
}

const first = await page(LIST, { count: 2 });
const second = await page(LIST_ON, { count: 2, cursor: first.pageInfo.endCursor });
const input = { name: "Ines Aalto", emails: [{ address: "429.gately@fault.test" }] };
const created = await new Promise((resolve, reject) =>
  commitMutation(environment, {
    mutation: CREATE,
    variables: { input },
    onCompleted: (response, errors) => resolve({ ...response.createContact, errors }),
    onError: reject,
  }),
);
const id = created.contact.id;
await fetchQuery(environment, CARD_AGAIN, { id }).toPromise();
const card = environment.getStore().getSource().get(id);
console.log(JSON.stringify({ first: first.ids, second: second.ids, created, again: card.name }));
