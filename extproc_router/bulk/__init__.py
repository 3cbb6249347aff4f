"""Work over many lines: JSON Lines within bounds, lines as they come, and how far it is."""
