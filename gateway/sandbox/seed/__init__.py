"""About a hundred made-up contacts over the three providers, the same on every run."""
