"""Is a cascade worth it? Asked live: prompts with known outcomes, through the real stack."""
