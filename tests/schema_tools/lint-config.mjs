// The rules for schema.graphql: the recommended and the Relay set of @graphql-eslint, every rule on, four with options.
import graphqlEslint from "@graphql-eslint/eslint-plugin";

// A type with an id can be kept in a client's cache and asked for again. These are values: they only
// exist as a part of what holds them, and an id would promise that `node(id:)` finds them.
const VALUE_TYPES = [
  "Address",
  "ContactMatches",
  "Email",
  "FieldCapability",
  "RateLimit",
  "PageInfo",
  "Phone",
  "PlannedRequest",
  "ProviderFault",
  "ProviderInfo",
  "ProviderStatus",
  "ProviderWriteFailure",
  "ProviderWritePreview",
  "ProviderWriteSuccess",
  "Source",
  "WriteWarning",
];

/** The flat configuration that lints `schemaPath`, which must be the only .graphql file handed to ESLint. */
export function lintConfig(schemaPath) {
  return [
    {
      files: ["**/*.graphql"],
      plugins: { "@graphql-eslint": graphqlEslint },
      languageOptions: {
        parser: graphqlEslint.parser,
        parserOptions: { graphQLConfig: { schema: schemaPath } },
      },
      // The schema is printed from the code: a comment in it cannot silence a rule.
      linterOptions: { noInlineConfig: true },
      rules: {
        ...graphqlEslint.configs["flat/schema-recommended"].rules,
        ...graphqlEslint.configs["flat/schema-relay"].rules,
        // Everything is described, not only what the recommended set asks for. @oneOf is GraphQL's own directive:
        // Strawberry prints a definition of it, and has no place for a description, nor for one of a directive's argument.
        "@graphql-eslint/require-description": [
          "error",
          {
            types: true,
            rootField: true,
            DirectiveDefinition: true,
            EnumValueDefinition: true,
            FieldDefinition: true,
            InputValueDefinition: true,
            ignoredSelectors: [
              "[type=DirectiveDefinition][name.value=oneOf]",
              "DirectiveDefinition > InputValueDefinition",
            ],
          },
        ],
        "@graphql-eslint/strict-id-in-types": [
          "error",
          { exceptions: { types: VALUE_TYPES, suffixes: ["Payload", "Connection", "Edge"] } },
        ],
        // `contacts` is walked forwards only, so it has no `last` and `before`.
        "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
        // The default forbids every list but `edges`; a contact's records, emails and phones are short and never paged.
        "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
      },
    },
  ];
}
