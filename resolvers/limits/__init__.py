"""What a document may ask for, decided before anything is asked of anybody."""
