"""Translations between magpie.v1 messages and the vocabulary in core: pure, lossless where both sides allow.

A function that reads a message raises kit.errors.Invalid naming the field; it never guesses.
"""
