"""The vocabulary shared by every service: pure values and pure functions."""
