"""Gately: one flat object per contact."""
