"""The Klen AI simulator: phone objects, a flat address on write and a nested one on read."""
