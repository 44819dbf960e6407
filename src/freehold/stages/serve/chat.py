"""The terminal chat: one line in, an answer streamed out, the dialogue kept as far as it fits the context."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from pathlib import Path
from unicodedata import category

from freehold.errors import InputError
from freehold.model.dialogue import ChatTemplate, Message
from freehold.model.folder import Opened, open_folder
from freehold.model.generation import Decoder, PromptTooLong, Request
from freehold.stages.serve.release import find

TEMPERATURE, TOP_P = 0.7, 0.9
ANSWER_SHARE = 3  # of the context: a third is kept free for the answer
SMALL = 1_000_000_000  # parameters
GREETING = "/new forgets the dialogue, /quit leaves, Ctrl-C stops an answer"
CAUTION = (
    "This model is small ({parameters:.0f} million parameters). It continues in the style of the texts it was trained "
    "on, and what it says is not advice and often not true; `freehold search` and `freehold trace` find the sources."
)


def chat(release: Path, *, seed: int | None = None, device: str = "cpu") -> None:
    """Talk until /quit or end of input. Raises InputError if the release cannot chat."""
    found = find(release)
    opened = open_folder(found.folder, slots=1, device=device)
    parameters = opened.decoder.config.parameters
    print(f"{found.name}: {GREETING}")
    if parameters < SMALL:
        print(CAUTION.format(parameters=parameters / 1e6))
    talk(opened, read=lambda: input("\n> "), write=write, seed=seed)


def talk(opened: Opened, *, read: Callable[[], str], write: Callable[[str], None], seed: int | None = None) -> None:
    """Turn by turn; `read` gives a line or raises EOFError, `write` takes text as it comes."""
    if opened.template is None:
        advice = "use freehold serve and /v1/completions"
        raise InputError("this model has no chat template", where="model", remedy=advice)
    dialogue: list[Message] = []
    while True:
        try:
            said = read().strip()
        except (EOFError, KeyboardInterrupt):
            write("\n")
            return
        if said in ("/quit", "/exit"):
            return
        if said == "/new":
            dialogue.clear()
        elif said.startswith("/"):
            write(f"{said.split()[0]} is no command: {GREETING}\n")
        elif said:
            dialogue.append(Message(role="user", content=said))
            turn(opened.decoder, opened.template, dialogue, write=write, seed=seed)


def turn(
    decoder: Decoder, template: ChatTemplate, dialogue: list[Message], *, write: Callable[[str], None], seed: int | None
) -> None:
    """Answer the dialogue's last message and append the answer; take the message back if there is no room for it."""
    try:
        prompt, forgotten = fitting(decoder, template, dialogue)
    except InputError as refusal:
        dialogue.pop()
        write(f"{refusal}\n")
        return
    if forgotten:
        del dialogue[:forgotten]
        write(f"(the first {forgotten} messages no longer fit the context)\n")
    request = Request(prompt=prompt, temperature=TEMPERATURE, top_p=TOP_P, seed=seed)
    said = "".join(shown(decoder, request, write=write))
    dialogue.append(Message(role="assistant", content=said.strip()))


def fitting(decoder: Decoder, template: ChatTemplate, dialogue: list[Message]) -> tuple[tuple[int, ...], int]:
    """Tokens of the dialogue, and how many of its first messages had to go to leave room for the answer.

    Raises InputError when even the last message alone is too long, or names a control token.
    """
    said = dialogue[-1].content
    if named := next((name for name in decoder.controls if name in said), None):
        raise InputError(f"{named} is a control token", remedy="leave it out")
    room = decoder.config.context - decoder.config.context // ANSWER_SHARE
    # Turns go in pairs, so that what remains begins with the user.
    for forgotten in range(0, len(dialogue), 2):
        try:
            prompt = decoder.encode(template.render(dialogue[forgotten:], answer=True), whole=True)
        except PromptTooLong:
            continue
        if len(prompt) <= room:
            return prompt, forgotten
    raise InputError(f"that is too long for a context of {decoder.config.context} tokens", remedy="say it shorter")


def shown(decoder: Decoder, request: Request, *, write: Callable[[str], None]) -> Generator[str]:
    """Pieces of the answer, written as they come; Ctrl-C ends it."""
    pieces = decoder.generate(request)
    try:
        for piece in pieces:
            write(printable(piece.text))
            yield piece.text
    except KeyboardInterrupt:
        pieces.close()
    finally:
        write("\n")


def printable(text: str) -> str:
    """Text without the control characters that could steer a terminal."""
    return "".join(letter if letter in "\n\t" or category(letter) != "Cc" else "�" for letter in text)


def write(text: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()
