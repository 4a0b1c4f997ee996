"""Who may call: API keys, bearer tokens of an identity provider, and what each of them may do where."""
