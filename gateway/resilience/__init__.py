"""Policies around one call to a provider; gateway.upstream lists them in order."""
