"""The ranking service: what a user would do with each candidate item."""
