// Apollo Server 5, standalone, with one dataloader for each request.
import { readFileSync } from "node:fs";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import DataLoader from "dataloader";
import { createContact, listContacts, merged, recordsOf } from "../contacts/contacts.mjs";
import { readRecord } from "../contacts/providers.mjs";

const typeDefs = readFileSync(new URL("../contacts/schema.graphql", import.meta.url), "utf8");

// No provider answers several ids at once: a batch is as many calls, each id once.
const recordLoader = () =>
  new DataLoader((keys) => Promise.all(keys.map(({ provider, remoteId }) => readRecord(provider, remoteId))), {
    cacheKeyFn: ({ provider, remoteId }) => `${provider}:${remoteId}`,
  });

const resolvers = {
  Query: {
    contact: async (_, { id }, { records }) => merged(await records.loadMany(recordsOf(id)).then(throwFirst)),
    contacts: (_, given) => listContacts(given),
  },
  Mutation: { createContact: (_, { input }) => createContact(input) },
};

function throwFirst(loaded) {
  const failed = loaded.find((one) => one instanceof Error);
  if (failed) throw failed;
  return loaded;
}

const server = new ApolloServer({ typeDefs, resolvers, introspection: false });
await startStandaloneServer(server, {
  listen: { host: "127.0.0.1", port: Number(process.env.PORT) },
  context: async () => ({ records: recordLoader() }),
});
