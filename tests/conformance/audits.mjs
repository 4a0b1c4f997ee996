// node audits.mjs: every audit of GraphQL over HTTP against GATEWAY_URL, as JSON by its id.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.env.GATEWAY_URL });
const told = results.map(({ id, name, status, reason }) => [id, { name, status, reason }]);
console.log(JSON.stringify(Object.fromEntries(told)));
