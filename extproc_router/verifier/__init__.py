"""Is a cascade's first answer good enough? Pure: what was heard of an answer goes in, a verdict comes out."""
