// node client.mjs <hash | manifest> <POST | GET>: Apollo Client with its persisted-query link asks twice.
// Prints what it got, and each request with its answer's status and code, as JSON.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client/core";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";
import { FIRST_CONTACTS } from "./apollo.js";

const [ids, method] = process.argv.slice(2);
const requests = [];

async function recording(url, options) {
  const answer = await fetch(url, options);
  const sent = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(url).searchParams);
  const body = await answer.clone().json();
  const code = body.errors?.[0].extensions.code ?? null;
  const hashed = JSON.stringify(sent.extensions ?? "").includes("sha256Hash");
  const what = [sent.query && "text", hashed && "hash"].filter(Boolean).join(" and ");
  requests.push([options.method, what, answer.status, code]);
  return answer;
}

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const loadManifest = () => JSON.parse(readFileSync("manifest.json", "utf8"));
const options = ids === "hash" ? { sha256 } : generatePersistedQueryIdsFromManifest({ loadManifest });
const persisted = new PersistedQueryLink({ ...options, useGETForHashedQueries: method === "GET" });
const link = ApolloLink.from([persisted, new HttpLink({ uri: process.env.GATEWAY_URL, fetch: recording })]);
const client = new ApolloClient({ link, cache: new InMemoryCache() });

const names = [];
for (const _ of [1, 2]) {
  const asked = { query: FIRST_CONTACTS, variables: { first: 1 }, fetchPolicy: "no-cache" };
  const { data, error } = await client.query({ ...asked, errorPolicy: "all" });
  names.push(data?.contacts.nodes.map(({ name }) => name) ?? error.message);
}
console.log(JSON.stringify({ names, requests }));
