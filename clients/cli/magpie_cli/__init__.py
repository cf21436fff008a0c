"""The command `magpie`: a client of the public gRPC API. It can also start the whole suite here."""
