// Contacts made of records: ids, links, and the merge by precedence. Everything that is not a server's own way of doing.
import { createRecord, listGately } from "./providers.mjs";

const SINGLE = [
  "name", "company", "website", "status", "stage", "unsubscribed", "customFields",
  "createdAt", "updatedAt", "lastContactedAt",
];
// The gateway keeps in a database which records are one person; here a table in memory has to do.
const FIRST_PERSON = 2_000_001;
const PERSONS = 100;
const links = new Map();
for (let number = FIRST_PERSON; number < FIRST_PERSON + PERSONS; number++) {
  links.set(`gately:${number}`, [
    { provider: "gately", remoteId: String(number) },
    { provider: "klen", remoteId: String(number) },
    { provider: "cometly", remoteId: String(number) },
  ]);
}

export function recordsOf(id) {
  const [, provider, remoteId] = Buffer.from(id, "base64").toString().split(":");
  return links.get(`${provider}:${remoteId}`) ?? [{ provider, remoteId }];
}

function united(records, list, key) {
  const seen = new Set();
  return records.flatMap((record) => record[list].filter((item) => !seen.has(key(item)) && seen.add(key(item))));
}

// `records` in order of precedence.
export function merged(records) {
  const [anchor] = records;
  const contact = {
    id: Buffer.from(`Contact:${anchor.provider.toLowerCase()}:${anchor.remoteId}`).toString("base64"),
    records,
    tags: united(records, "tags", (tag) => tag),
    emails: united(records, "emails", (email) => email.address.toLowerCase()),
    phones: united(records, "phones", (phone) => phone.number.replaceAll(" ", "")),
  };
  for (const field of SINGLE) contact[field] = records.find((record) => record[field] !== null)?.[field] ?? null;
  return contact;
}

export async function listContacts({ first, filter }) {
  const records = await listGately(first, filter?.search);
  return { nodes: records.map((record) => merged([record])) };
}

export async function createContact(input) {
  const settled = await Promise.allSettled(input.providers.map((provider) => createRecord(provider, input)));
  const records = settled.flatMap(({ value }) => (value ? [value] : []));
  return {
    status: records.length === settled.length ? "SUCCEEDED" : "PARTIAL",
    results: settled.map(({ value }, place) => ({
      provider: input.providers[place],
      outcome: value ? "APPLIED" : "UNKNOWN",
    })),
    contact: records.length ? merged(records) : null,
  };
}
