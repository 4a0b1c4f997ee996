"""The use cases: read, list, create, update, delete, link. One module each, all over the same directory."""
