// Mercurius on Fastify: every operation is compiled at its second request, loaders ask for each id once.
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mercurius from "mercurius";
import { createContact, listContacts, merged, recordsOf } from "../contacts/contacts.mjs";
import { readRecord } from "../contacts/providers.mjs";

const schema = readFileSync(new URL("../contacts/schema.graphql", import.meta.url), "utf8");

const readContact = async (id) =>
  merged(await Promise.all(recordsOf(id).map(({ provider, remoteId }) => readRecord(provider, remoteId))));

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema,
  resolvers: {
    Query: { contacts: (_, given) => listContacts(given) },
    Mutation: { createContact: (_, { input }) => createContact(input) },
  },
  loaders: {
    Query: { contact: (queries) => Promise.all(queries.map(({ params }) => readContact(params.id))) },
  },
  jit: 1,
  graphiql: false,
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
