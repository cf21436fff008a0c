"""What can be said, as data: one folder a locale, one file a kind of app."""
