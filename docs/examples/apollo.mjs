// apollo.mjs: creates a contact at every provider and asks again until it is known what became of it.
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";

const uri = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000/graphql";
// Without possibleTypes Apollo drops fragments on interfaces; those on concrete types, as below, are safe.
const client = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache() });

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
    // "all" keeps the data when a field next to it has an error.
    const { data, error } = await client.mutate({ mutation: CREATE_CONTACT, variables, errorPolicy: "all" });
    const written = data?.createContact;
    const refusal = CombinedGraphQLErrors.is(error) ? error.errors[0].extensions : null;
    const faults = passing(written?.results, refusal);
    const pauseMs = Math.max(1000 * attempt, ...faults.map((fault) => fault.retryAfterMs ?? 0));
    if (faults.length === 0 || pauseMs > 10_000 || attempt === 5) {
      if (written) return written; // SUCCEEDED; or PARTIAL or UNKNOWN so far
      throw error; // with extensions.providers: FAILED; without any answer: nobody knows yet
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
