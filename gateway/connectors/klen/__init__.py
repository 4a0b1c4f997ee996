"""Klen AI: phone objects, a nested address on read, a flat one on write."""
