"""What the gateway itself remembers: which records are one contact. Write operations will stand beside it."""
