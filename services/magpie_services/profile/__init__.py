"""The profile service: what users did, what they like, what they allow."""
