"""The push service: whether, what, when and where to push; sending; the decision ledger."""
