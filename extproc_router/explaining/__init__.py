"""Decisions told to people: one request, a logged decision, or two policies over many prompts."""
