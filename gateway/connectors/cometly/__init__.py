"""Cometly: four lists of plain strings and thirty numbered custom fields per contact."""
