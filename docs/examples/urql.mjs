// urql.mjs: creates a contact at every provider and asks again until it is known what became of it.
import { Client, fetchExchange, gql } from "@urql/core";

const url = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000/graphql";
const client = new Client({ url, exchanges: [fetchExchange] });

const CREATE_CONTACT = gql`
  mutation CreateContact($input: CreateContactInput!) {
    createContact(input: $input) {
      status
      contact { id }
      results {
        provider
        outcome
        ... on ProviderWriteFailure { error { code message retryable retryAfterMs } }
      }
    }
  }
`;

// The faults that asking again may get over: an unknown outcome, a retryable failure, no answer at all.
function passing(results, refusal) {
  const isOpen = ({ outcome, error }) => outcome === "UNKNOWN" || error?.retryable;
  if (results) return results.filter(isOpen).map(({ error }) => error);
  if (refusal) return refusal.retryable ? (refusal.providers ?? [refusal]) : [];
  return [{}];
}

// One key per user action: keep it for as long as the user may press the same button again.
export async function createContact(contact, idempotencyKey = crypto.randomUUID()) {
  const variables = { input: { ...contact, idempotencyKey } };
  for (let attempt = 1; ; attempt++) {
    const { data, error } = await client.mutation(CREATE_CONTACT, variables);
    const written = data?.createContact;
    const refusal = error?.graphQLErrors[0]?.extensions;
    const faults = passing(written?.results, refusal);
    const pauseMs = Math.max(1000 * attempt, ...faults.map((fault) => fault.retryAfterMs ?? 0));
    if (faults.length === 0 || pauseMs > 10_000 || attempt === 5) {
      if (written) return written; // SUCCEEDED; or PARTIAL or UNKNOWN so far
      throw error; // with extensions.providers: FAILED; without any answer: nobody knows yet
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
