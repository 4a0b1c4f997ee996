// The three providers' REST calls over undici with kept connections, and their contacts in the unified vocabulary.
import { Pool } from "undici";

const pool = new Pool(process.env.UPSTREAM, { connections: 100 });
const HEADERS = { authorization: "Bearer bench", accept: "application/json" };
const JSON_HEADERS = { ...HEADERS, "content-type": "application/json" };

const KLEN_STATUS = { not_contacted: "NEW", contacted: "ACTIVE", active: "ACTIVE" };
const PHONE_TYPES = { mobile: "MOBILE", work: "WORK", home: "HOME" };

async function get(path) {
  const { statusCode, body } = await pool.request({ method: "GET", path, headers: HEADERS });
  return answered(statusCode, body);
}

async function post(path, value) {
  const { statusCode, body } = await pool.request({
    method: "POST",
    path,
    headers: JSON_HEADERS,
    body: JSON.stringify(value),
  });
  return answered(statusCode, body);
}

async function answered(statusCode, body) {
  if (statusCode < 300) return body.json();
  await body.dump();
  throw new Error(`the provider answered ${statusCode}`);
}

const time = (text) => (text ? new Date(text).toISOString().replace(".000Z", "Z") : null);
const email = (address, primary) => ({ address, primary });
const phone = (number, type, primary) => ({ number, type, primary });

function fromGately(contact) {
  const phones = [];
  if (contact.phone) phones.push(phone(contact.phone, "OTHER", true));
  if (contact.mobile) phones.push(phone(contact.mobile, "MOBILE", phones.length === 0));
  return {
    provider: "GATELY",
    remoteId: contact.id,
    name: contact.name ?? null,
    company: contact.company ?? null,
    website: null,
    status: contact.status ? contact.status.toUpperCase() : null,
    stage: null,
    tags: (contact.tags ?? []).map((tag) => tag.name),
    unsubscribed: contact.unsubscribed ?? null,
    customFields: contact.custom_fields ?? null,
    createdAt: time(contact.created_at),
    updatedAt: time(contact.updated_at),
    lastContactedAt: time(contact.last_contacted_at),
    emails: contact.email ? [email(contact.email, true)] : [],
    phones,
  };
}

function fromKlen(contact) {
  return {
    provider: "KLEN",
    remoteId: String(contact.id),
    name: contact.full_name ?? null,
    company: contact.company ?? null,
    website: contact.website ?? null,
    status: KLEN_STATUS[contact.status] ?? null,
    stage: contact.stage ?? null,
    tags: contact.tags ?? [],
    unsubscribed: null,
    customFields: contact.custom_context ?? null,
    createdAt: time(contact.created_date),
    updatedAt: null,
    lastContactedAt: time(contact.last_call_date),
    emails: contact.email ? [email(contact.email, true)] : [],
    phones: (contact.phone_numbers ?? []).map((one) =>
      phone(one.phone_number, PHONE_TYPES[one.phone_type] ?? "OTHER", one.primary),
    ),
  };
}

function fromCometly(contact) {
  return {
    provider: "COMETLY",
    remoteId: String(contact.id),
    name: contact.names?.[0] ?? null,
    company: null,
    website: null,
    status: null,
    stage: null,
    tags: [],
    unsubscribed: null,
    customFields: contact.custom_fields ?? null,
    createdAt: null,
    updatedAt: null,
    lastContactedAt: null,
    emails: (contact.emails ?? []).map((address) => email(address, false)),
    phones: (contact.phones ?? []).map((number) => phone(number, "OTHER", false)),
  };
}

const READERS = { gately: fromGately, klen: fromKlen, cometly: fromCometly };

export async function readRecord(provider, remoteId) {
  return READERS[provider](await get(`/${provider}/contacts/${encodeURIComponent(remoteId)}`));
}

export async function listGately(first, search) {
  const query = new URLSearchParams({ page: "1", limit: String(first), ...(search ? { search } : {}) });
  const page = await get(`/gately/contacts?${query}`);
  return page.contacts.map(fromGately);
}

const CREATE = {
  GATELY: (input) =>
    post("/gately/contacts", {
      name: input.name,
      first_name: input.firstName,
      last_name: input.lastName,
      email: input.emails[0].address,
      mobile: input.phones?.[0]?.number,
    }).then(fromGately),
  KLEN: (input) =>
    post("/klen/contacts/create", {
      first_name: input.firstName,
      last_name: input.lastName,
      email: input.emails[0].address,
      phone_numbers: (input.phones ?? []).map((one) => ({
        phone_number: one.number,
        phone_type: (one.type ?? "MOBILE").toLowerCase(),
      })),
    }).then(fromKlen),
  COMETLY: (input) =>
    post("/cometly/contacts", {
      emails: input.emails.map((one) => one.address),
      phones: (input.phones ?? []).map((one) => one.number),
      names: [input.name],
    }).then(fromCometly),
};

export const createRecord = (provider, input) => CREATE[provider](input);
