"""The command `magpie`: a client of the public gRPC API."""
