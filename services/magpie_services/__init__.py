"""The services of Magpie: one package a room, and the proto as the only contract between them."""
