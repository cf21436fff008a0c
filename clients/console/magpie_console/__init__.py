"""Room for the web console, a client of the public gRPC API: still to come, nothing is here yet."""
