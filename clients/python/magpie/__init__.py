"""The Magpie SDK: a light, typed client of the public gRPC API."""
