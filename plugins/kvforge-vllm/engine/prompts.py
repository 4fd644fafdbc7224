"""What the engines are asked, in SmolLM2's form."""

from __future__ import annotations

from pathlib import Path

TEXT = (Path(__file__).resolve().parents[3] / "LICENSE").read_text()
TURN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
QUESTIONS = (
    "Why is the sky blue?",
    "Write one sentence about a ship that comes home after a long storm.",
    "What is the capital of Italy?",
    "Name three animals that live in the sea.",
)
ABOUT = "Here is a text. {}\nAnswer with one sentence. {}"


def prompts() -> list[str]:
    """Ten, short and long."""
    found = [TURN.format(question) for question in QUESTIONS]
    # The same 400 letters first: blocks that another prompt has filled are found again.
    found += [TURN.format(ABOUT.format(TEXT[1000:1400], question)) for question in QUESTIONS]
    found += [TURN.format(ABOUT.format(TEXT[3000 : 3000 + n], QUESTIONS[2])) for n in (200, 600)]
    return found
