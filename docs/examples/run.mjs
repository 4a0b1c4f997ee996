// node run.mjs <apollo|urql> <email address> [idempotency key]: runs an example; exit status 0 only when SUCCEEDED.
const [example, address, key] = process.argv.slice(2);
const { createContact } = await import(`./${example}.mjs`);

function tell({ provider, outcome, error }) {
  console.log(error ? `${provider} ${outcome} ${error.code}: ${error.message}` : `${provider} ${outcome}`);
}

try {
  const { status, contact, results } = await createContact({ name: "Ines Aalto", emails: [{ address }] }, key);
  results.forEach(tell);
  console.log(contact ? `${status} ${contact.id}` : status);
  process.exitCode = status === "SUCCEEDED" ? 0 : 1;
} catch (error) {
  const refusal = (error.errors ?? error.graphQLErrors)?.[0];
  const providers = refusal?.extensions.providers;
  providers?.forEach((fault) => tell({ provider: fault.provider, outcome: "NOT_APPLIED", error: fault }));
  if (providers) console.log(`FAILED ${refusal.extensions.code} ${refusal.extensions.operationId}`);
  else if (refusal) console.log(`${refusal.extensions.code}: ${refusal.message}`);
  else console.log(`UNKNOWN ${error.message}`);
  process.exitCode = 1;
}
