from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.attempts import Called, Heard, Verification
from extproc_router.verifier.signs.refusal import Refusal

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 32, ("a", "b"), ((1.0, 1.0), (2.0, 2.0)))


def refuses(heard: Heard, *phrases: str) -> bool:
    return Refusal(phrases)(heard, ASKED, False)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that.",
        "I\u2019m sorry, but I can\u2019t help with that request.",
        "**I must respectfully decline** to go on.",
        "As an AI language model, I cannot have preferences.",
        "I cannot provide medical advice",
        "Unfortunately, I am unable to help you here.",
        "Sorry, I can't.",
        "  \n\nI'm really sorry you feel this way, but I'm unable to provide the help that you need.",
        "Thank you for asking! I'm not able to browse the web.",
        "That's against my guidelines.",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Leider kann ich Ihnen dabei nicht helfen.",
        "Als KI-Sprachmodell kann ich keine Bilder sehen.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "En tant qu'intelligence artificielle, je ne peux pas",
        "Lo siento, pero no puedo ayudar con eso.",
        "Sinto muito, mas não posso ajudar com isso.",
        "Mi dispiace, ma non posso aiutarti.",
        "Sorry, maar ik kan daar niet bij helpen.",
        "Извините, но я не могу помочь с этим.",  # noqa: RUF001
        "抱歉，我无法帮助您。",  # noqa: RUF001
        "作为一个人工智能，我无法回答",  # noqa: RUF001
        "申し訳ありませんが、その質問にはお答えできません。",
        "죄송하지만 도와드릴 수 없습니다.",
    ],
)
def test_a_refusal_is_known_by_its_first_words(text: str) -> None:
    assert refuses(Heard(text=text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris.",
        "I'm sorry to hear that. You could talk to a friend.",
        "Dear Ms Smith,\n\nI'm sorry, but I cannot attend the meeting.",
        "I can't believe how good this is!",
        "The screen says \"I'm sorry, but I can't help with that\".",
        "We cannot create energy: it is conserved.",
        "Leider regnet es heute. Wir können das Fenster nicht öffnen.",
        "I don't know.",
        "Here is the answer. " + "It is long. " * 30 + "I cannot provide more.",
    ],
)
def test_an_answer_is_none(text: str) -> None:
    assert not refuses(Heard(text=text))


def test_what_the_api_marks_is_one() -> None:
    assert refuses(Heard(refusal="No."))
    assert refuses(Heard(text="Sure", finish="content_filter"))
    assert refuses(Heard(finish="refusal"))


def test_a_tool_call_is_none() -> None:
    assert not refuses(Heard(text="I can't access your files, so", calls=(Called("read", "{}"),)))


def test_the_config_adds_phrases_in_any_case() -> None:
    heard = Heard(text="Well. Computer  says NO to this.")
    assert not refuses(heard)
    assert refuses(heard, "computer says no")
    assert not refuses(Heard(text="x" * 200 + " computer says no"), "computer says no")


def test_a_phrase_of_marks_alone_finds_nothing() -> None:
    assert not refuses(Heard(text="Paris."), "***")


@given(st.text(max_size=600))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(refuses(Heard(text=text), "no way"), bool)
