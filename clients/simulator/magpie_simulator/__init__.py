"""The sealed marketplace: simulated users and items that know only the public API."""
