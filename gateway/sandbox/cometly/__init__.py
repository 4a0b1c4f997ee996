"""The Cometly simulator: profiles made of lists, a sparse PUT and a list by creation time."""
