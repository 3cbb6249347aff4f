"""Signals -> choice. What is allowed comes first (privacy), then what is wanted (engine)."""
