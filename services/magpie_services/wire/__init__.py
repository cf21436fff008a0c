"""Pure translations between magpie.v1 messages and the vocabulary in core."""
