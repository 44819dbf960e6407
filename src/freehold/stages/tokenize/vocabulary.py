"""The tokenizer: byte-level BPE over the o200k split, learned from text, and its files for Hugging Face readers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as Steps
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

BOS, TURN, TURN_END, PAD = "<|bos|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
SPECIAL = (BOS, TURN, TURN_END, PAD, *(f"<|reserved_{n}|>" for n in range(4)))
SMALLEST = 256 + len(SPECIAL)  # every byte has a token

# The published o200k_base pattern. `\p{M}` keeps vowel signs with their letters, and llama.cpp knows it as "gpt-4o".
CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
LETTERS_HIGH, LETTERS_LOW = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SPLIT = "|".join(
    (
        rf"[^\r\n\p{{L}}\p{{N}}]?{LETTERS_HIGH}*{LETTERS_LOW}+{CONTRACTION}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{LETTERS_HIGH}+{LETTERS_LOW}*{CONTRACTION}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)

# One line and no reliance on a renderer's whitespace settings: serve, llama.cpp and transformers must agree.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def learn(texts: Iterable[str], *, size: int) -> Tokenizer:
    """A tokenizer of at most `size` tokens, special ones first; fewer when the text holds fewer pairs.

    The result is a function of the texts as a set: counts decide, ties fall to the lower token numbers.
    """
    tokenizer = Tokenizer(BPE())
    split = Split(Regex(SPLIT), "isolated")
    tokenizer.pre_tokenizer = Steps([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # A text begins with the token that begins every document; callers that join texts pass add_special_tokens=False.
    template = TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, SPECIAL.index(BOS))])
    tokenizer.post_processor = template
    return tokenizer


def reader(path: Path) -> Tokenizer:
    """The tokenizer of a file, set to read text as text: a special token spelled out in a document stays spelling."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def token_ids() -> dict[str, int]:
    """Numbers of the special tokens."""
    return {token: number for number, token in enumerate(SPECIAL)}


def settings() -> bytes:
    """tokenizer_config.json: what transformers (4 and 5) needs beside tokenizer.json."""
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": TURN_END,
        "pad_token": PAD,
        "additional_special_tokens": [token for token in SPECIAL if token not in (BOS, TURN_END, PAD)],
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    return json.dumps(config, indent=2, sort_keys=True).encode() + b"\n"


def pieces(text: str, *, limit: int) -> Sequence[str]:
    """Cut a text into parts of at most `limit` characters where the split pattern always ends a match.

    That is after a letter and before a blank or a stop: letters only match letters, marks and contractions, so the
    parts tokenize to what the whole does. A text without such a place is cut at the limit.

    >>> pieces("ein Wort, zwei Wörter", limit=12)
    ['ein Wort', ', zwei', ' Wörter']
    """
    found, begin = [], 0
    while len(text) - begin > limit:
        end = begin + limit
        places = (i for i in range(end, begin, -1) if text[i] in " \n.,;:)。、」" and text[i - 1].isalpha())
        cut = next(places, end)
        found.append(text[begin:cut])
        begin = cut
    return [*found, text[begin:]]
