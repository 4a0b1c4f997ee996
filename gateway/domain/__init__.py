"""What a contact is and what may happen to it: no I/O, no framework."""
