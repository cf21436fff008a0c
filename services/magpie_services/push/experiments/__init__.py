"""Experiments on policies: declared in a file, assigned by hash, watched and analysed from the lake."""
