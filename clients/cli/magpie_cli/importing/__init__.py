"""Files in: rows to events and items by a mapping, checked, counted, sent in batches safe to repeat."""
