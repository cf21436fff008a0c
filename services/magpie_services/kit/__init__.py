"""The plumbing shared by every service: serving, channels, settings, errors, stores."""
