// Hive Gateway in front of the composed supergraph: operations are compiled, nothing is logged.
import { defineConfig } from "@graphql-hive/gateway";

export const gatewayConfig = defineConfig({
  jit: true,
  logging: "error",
  landingPage: false,
  graphiql: false,
});
