"""The training report of a run: what was found on the exam, and one HTML page about all of it."""
