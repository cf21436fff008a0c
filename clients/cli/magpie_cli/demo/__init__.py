"""`magpie demo`: the whole loop, in a marketplace of our own or over a real log."""
