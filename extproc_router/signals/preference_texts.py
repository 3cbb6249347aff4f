"""What people ask assistants in general: the mean of these texts' embeddings is taken off before routes are compared.

All embeddings of one encoder have much in common, which says nothing of what a text is about. Prompts that belong to
one of five routes, each described in a sentence, were told from 800 others with an area under the curve of 0.957 before
this was taken off, and 0.985 after.
"""

from __future__ import annotations

from typing import Final

GENERIC: Final = (
    "hi, how are you today?",
    "thanks, that was very helpful",
    "what's the weather like in Lisbon this weekend",
    "set a timer for ten minutes please",
    "Write a short poem about the sea.",
    "Can you translate 'good evening' into Italian?",
    "what is the capital of Kenya",
    "Summarise the following article in three bullet points.",
    "Give me a recipe for lentil soup that takes under an hour",
    "my laptop does not start any more, what can I do",
    "How do I reverse a linked list in Python?",
    "fix the bug in this function and explain what was wrong",
    "A train leaves at 9:40 and covers 210 km at 84 km/h. When does it arrive?",
    "Solve for x: 3x + 5 = 20",
    "who wrote Pride and Prejudice",
    "which team won the world cup in 1998",
    "Explain how vaccines work to a ten-year-old.",
    "i have had a headache for two days, should i see a doctor",
    "Draft a polite e-mail asking my landlord to repair the heating.",
    "what are my rights if a flight is cancelled",
    "Why was my card payment declined?",
    "how much money do i have left on my account",
    "Compare renting and buying a flat over ten years.",
    "Act as a travel guide and suggest three days in Kyoto.",
    "You are a helpful writing tutor. Correct my essay and keep my style.",
    "What caused the fall of the Roman Republic?",
    "Describe the difference between a virus and a bacterium.",
    "how does inflation affect savings",
    "Plan a training programme for a first half marathon",
    "Give me five names for a small bakery",
    "Write a SQL query that lists customers without orders.",
    "Create a table of pros and cons of electric cars",
    "play some quiet music in the kitchen",
    "remind me to call my sister tomorrow at noon",
    "What happens when sodium is put into water?",
    "Is it wrong to lie in order to protect a friend?",
    "tell me a joke about penguins",
    "Rewrite this paragraph in a more formal tone.",
    "How tall is the Eiffel Tower?",
    "what should I wear to a job interview at a bank",
)
