"""The vocabulary of Magpie: events, items, portraits, decisions, outcomes and features. Pure; imports nothing of ours."""
