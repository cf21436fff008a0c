"""Picture cards: an item's picture, its title and its price on one small JPEG that a push can show."""
