"""The vocabulary of Magpie: what the rooms talk about. Pure; imports nothing of ours."""
