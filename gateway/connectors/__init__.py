"""One folder per provider, one list of them (registry), one face for all (base)."""
