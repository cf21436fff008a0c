"""Typed attributes from titles and descriptions, by words learnt from the catalogue itself."""
