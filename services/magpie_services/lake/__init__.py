"""The lake: streams of events, decisions and outcomes written to Delta tables, exactly once."""
