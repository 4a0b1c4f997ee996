"""The HTTP face: GraphQL over HTTP, GraphiQL, health. It is handed the schema's executor and knows no resolver."""
