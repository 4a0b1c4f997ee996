"""The Gately simulator: flat contacts, custom fields, tags and unsubscribe records."""
