"""The candidate service: the catalogue, and the items worth ranking for a user."""
