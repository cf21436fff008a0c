"""Learning which items a user may want next: sequences, the two towers, and their fit."""
