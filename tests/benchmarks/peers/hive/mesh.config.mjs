// The three providers' REST calls as subgraphs, their shapes as JSON Schema; the supergraph is composed before the start.
import { defineConfig } from "@graphql-mesh/compose-cli";
import { loadJSONSchemaSubgraph } from "@omnigraph/json-schema";

const text = { type: "string" };
const flag = { type: "boolean" };
const number = { type: "integer" };
const anything = { type: "object", additionalProperties: true };
const list = (items) => ({ type: "array", items });
const object = (title, properties) => ({ type: "object", title, properties });

const gatelyContact = object("GatelyContact", {
  id: text, name: text, email: text, phone: text, mobile: text, company: text, status: text,
  custom_fields: anything, unsubscribed: flag,
  tags: list(object("GatelyTag", { name: text })),
  last_contacted_at: text, created_at: text, updated_at: text,
});
const klenContact = object("KlenContact", {
  full_name: text, email: text, company: text, website: text, stage: text, status: text, tags: list(text),
  phone_numbers: list(object("KlenPhone", { phone_number: text, phone_type: text, primary: flag })),
});
const cometlyContact = object("CometlyContact", { emails: list(text), phones: list(text), names: list(text) });

const subgraph = (name, operations) => ({
  sourceHandler: loadJSONSchemaSubgraph(name, {
    endpoint: `${process.env.UPSTREAM}/${name}`,
    operationHeaders: { authorization: "Bearer bench", "content-type": "application/json" },
    operations,
  }),
});
const read = (field, responseSchema) => ({
  type: "Query", field, method: "GET", path: "/contacts/{args.id}", responseSchema,
  argTypeMap: { id: { type: "string" } },
});
const create = (field, path, title, responseSchema) => ({
  type: "Mutation", field, method: "POST", path, responseSchema,
  requestSchema: { ...anything, title },
});

export const composeConfig = defineConfig({
  subgraphs: [
    subgraph("gately", [
      read("gatelyContact", gatelyContact),
      {
        type: "Query", field: "gatelyContacts", method: "GET",
        path: "/contacts?page=1&limit={args.first}&search={args.search}",
        argTypeMap: { first: number, search: text },
        responseSchema: object("GatelyPage", { contacts: list(gatelyContact) }),
      },
      create("createGately", "/contacts", "GatelyDraft", gatelyContact),
    ]),
    subgraph("klen", [
      read("klenContact", klenContact),
      create("createKlen", "/contacts/create", "KlenDraft", object("KlenCreated", { message: text })),
    ]),
    subgraph("cometly", [
      read("cometlyContact", cometlyContact),
      create("createCometly", "/contacts", "CometlyDraft", cometlyContact),
    ]),
  ],
});
