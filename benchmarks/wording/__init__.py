"""A world with hidden effects of copy, and the policies that choose copy in it."""
