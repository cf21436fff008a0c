"""The web console: a client of the public gRPC API."""
