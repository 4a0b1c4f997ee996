"""Contact Gateway: everything that would stay true if GraphQL were replaced."""
