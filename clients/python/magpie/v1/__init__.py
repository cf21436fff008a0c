"""Generated messages and stubs of the proto package magpie.v1."""
