"""What the gateway itself remembers, in SQLite or PostgreSQL: which records are one contact, and the operations."""
