"""One fit by several machines, for data that one is too slow for; the worker takes over from there."""
