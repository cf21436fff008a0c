"""The feedback service: outcomes joined to the decisions that caused them."""
