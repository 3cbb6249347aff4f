"""What the demo asks: one prompt for each way in which a request can be routed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of the demo.

    Attributes:
        prompt: the user's text.
        model: what the client asks for.
        stream: whether it wants server-sent events.
        tier: value of x-privacy-tier, or empty for none.
        status: the HTTP status that it should get.
    """

    prompt: str
    model: str = "auto"
    stream: bool = False
    tier: str = ""
    status: int = 200


_PARAGRAPH = (
    "The tenant paid a deposit when the lease was signed, and the landlord kept it after the lease had ended, without "
    "naming any damage. The contract says nothing of a time limit for its return. "
)

ASKS: tuple[Ask, ...] = (
    Ask("What is the integral of x^2 * e^x with respect to x?"),
    Ask("Write a Python function that reverses a linked list in place.", stream=True),
    Ask("A ball is thrown upward at 12 m/s. How high does it rise?", stream=True),
    Ask("Balance this equation: C3H8 + O2 -> CO2 + H2O"),
    Ask("Explain price elasticity of demand with an example."),
    Ask("Which organelle makes ATP in a eukaryotic cell?"),
    Ask("What were the main causes of the First World War?", stream=True),
    Ask("hey, how is it going?"),
    Ask("Why does my SQL join return duplicate rows?", model="code-32b"),
    Ask("Solve for x: my salary of 4,120 is 3x + 310.", tier="restricted"),
    Ask(f"Who is right, and under which doctrine? {_PARAGRAPH * 60}"),
    Ask("Does this model exist?", model="gpt-99", status=404),
)
