// node caches.mjs <client> <email address>: what a normalised cache makes of a PARTIAL answer and of its completion, as JSON.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { getIntrospectionQuery } from "graphql";

const url = process.env.GATEWAY_URL;
const [chosen, address] = process.argv.slice(2);

// Fragments on all three interfaces, inside the answer of a write.
const CREATE = `
  mutation Create($input: CreateContactInput!) {
    createContact(input: $input) {
      status
      contact { ...Known records { provider ...Known } }
      results { ...Result ... on ProviderWriteFailure { error { code } } }
    }
  }
  fragment Known on ContactFields { name emails { address } ... on Node { id } }
  fragment Result on ProviderWriteResult { provider outcome }
`;
const CACHED = "fragment Cached on Contact { id name emails { address } records { id provider name } }";
const READ = "query Read($id: ID!) { contact(id: $id) { id name emails { address } records { id provider name } } }";

async function introspect() {
  const body = JSON.stringify({ query: getIntrospectionQuery() });
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  return (await answer.json()).data;
}

/** The write, the contact as it stands in the cache, the write once more, the contact by its first id. */
async function walk({ write, cached, read }) {
  const input = { name: "Ines Aalto", emails: [{ address }], idempotencyKey: crypto.randomUUID() };
  const variables = { input };
  const first = await write(variables);
  const kept = await cached(first.contact.id);
  const second = await write(variables);
  return { first, kept, second, byOldId: first.contact.id && (await read(first.contact.id)) };
}

function apollo(possibleTypes) {
  const cache = new InMemoryCache({ possibleTypes });
  const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache });
  const fragment = gql(CACHED);
  return {
    write: async (variables) =>
      (await client.mutate({ mutation: gql(CREATE), variables, errorPolicy: "all" })).data.createContact,
    cached: (id) => client.readFragment({ fragment, from: { __typename: "Contact", id } }),
    read: async (id) => (await client.query({ query: gql(READ), variables: { id } })).data.contact,
  };
}

function graphcache(schema) {
  const keys = Object.fromEntries(["Email", "Phone", "Address"].map((type) => [type, () => null]));
  const kept = new Map();
  const createContact = ({ createContact: { contact } }, _, cache) => {
    kept.set(contact.id, cache.readFragment(CACHED, { __typename: "Contact", id: contact.id }));
  };
  const updates = { Mutation: { createContact } };
  const client = new Client({ url, exchanges: [cacheExchange({ schema, keys, updates }), fetchExchange] });
  return {
    write: async (variables) => (await client.mutation(CREATE, variables)).data.createContact,
    cached: (id) => kept.get(id),
    read: async (id) => (await client.query(READ, { id })).data.contact,
  };
}

const complaints = [];
console.warn = console.error = (...words) => complaints.push(words.join(" "));
const schema = await introspect();
const types = schema.__schema.types.filter((type) => type.possibleTypes);
const possibleTypes = Object.fromEntries(types.map((type) => [type.name, type.possibleTypes.map(({ name }) => name)]));

const clients = {
  apollo: () => apollo(possibleTypes),
  "apollo without possibleTypes": () => apollo(undefined),
  graphcache: () => graphcache(schema),
};
const seen = await walk(clients[chosen]());
console.log(JSON.stringify({ ...seen, complaints }));
