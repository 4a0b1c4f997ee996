"""The GraphQL face of the gateway: types, inputs, loaders and the resolvers that delegate to the use cases."""
