from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers

from freehold.errors import InputError
from freehold.model.folder import open_folder
from freehold.model.generation import Decoder, PromptTooLong, Request
from tiny_model import tiny_folder, tiny_model, tiny_tokenizer

PROMPT = "Die Würde des Menschen"


def new_decoder(*, slots: int = 4, dtype: torch.dtype = torch.float32) -> Decoder:
    tokenizer = tiny_tokenizer()
    model = tiny_model(vocabulary_size=tokenizer.get_vocab_size()).to(dtype)
    return Decoder(model, tokenizer, slots=slots)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return new_decoder()


def ragged(decoder: Decoder, count: int = 6) -> list[tuple[int, ...]]:
    chance = torch.Generator().manual_seed(1)
    size = decoder.config.vocab_size
    return [tuple(torch.randint(10, size, (1 + 7 * place,), generator=chance).tolist()) for place in range(count)]


def test_greedy_answers_equal_those_of_transformers(tmp_path: Path) -> None:
    opened = open_folder(tiny_folder(tmp_path), slots=4).decoder  # fewer slots than requests: some must wait
    reference = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    prompts = ragged(opened)
    answers = opened.complete([Request(prompt=prompt, max_tokens=40, temperature=0) for prompt in prompts])
    for prompt, answer in zip(prompts, answers, strict=True):
        whole = reference.generate(
            torch.tensor([prompt]), max_new_tokens=40, do_sample=False, eos_token_id=sorted(opened.ends), pad_token_id=3
        )[0].tolist()
        expected = [token for token in whole[len(prompt) :] if token not in opened.ends]
        assert list(answer.tokens) == expected
        assert answer.finish == ("length" if len(expected) == 40 else "stop")


def test_a_seed_gives_the_same_tokens_alone_and_in_any_batch(decoder: Decoder) -> None:
    for other in (decoder, new_decoder(dtype=torch.bfloat16)):
        requests = [
            Request(prompt=prompt, max_tokens=50, seed=place, temperature=1.2, top_p=0.95)
            for place, prompt in enumerate(ragged(decoder))
        ]
        together = other.complete(requests)
        alone = [other.complete([request])[0] for request in requests]
        assert [answer.tokens for answer in together] == [answer.tokens for answer in alone]


def test_without_a_seed_answers_differ(decoder: Decoder) -> None:
    request = Request(prompt=PROMPT, max_tokens=30)
    first, second = decoder.complete([request, request])
    assert first.tokens != second.tokens


def test_streamed_pieces_join_to_the_whole_and_hold_no_half_character(decoder: Decoder) -> None:
    request = Request(prompt=PROMPT, max_tokens=60, seed=5, logprobs=0)
    pieces = list(decoder.generate(request))
    whole = decoder.complete([request])[0]
    assert "".join(piece.text for piece in pieces) == whole.text
    assert [piece.finish for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    data = b"".join(likelihood.data for likelihood in whole.logprobs)
    assert whole.text == data.decode(errors="replace")


def test_a_stop_string_is_found_across_tokens_and_never_shown(decoder: Decoder) -> None:
    request = Request(prompt=PROMPT, max_tokens=60, seed=5)
    free = decoder.complete([request])[0].text
    stop = free[10:16]
    assert free.index(stop) == 10
    pieces = list(decoder.generate(replace(request, stop=("never there", stop))))
    assert "".join(piece.text for piece in pieces) == free[:10]
    assert pieces[-1].finish == "stop"


def test_a_stop_string_that_never_completes_is_given_back_at_the_end(decoder: Decoder) -> None:
    request = Request(prompt=PROMPT, max_tokens=30, seed=5)
    free = decoder.complete([request])[0].text
    assert decoder.complete([replace(request, stop=(free[-3:] + "\0",))])[0].text == free


def test_a_control_token_can_be_a_stop(decoder: Decoder) -> None:
    control = next(iter(sorted(decoder.controls)))
    answer = decoder.prepare(Request(prompt=PROMPT, stop=(control,)))
    assert decoder.controls[control] in answer.ends


def test_the_models_own_end_ends_an_answer() -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_model(vocabulary_size=tokenizer.get_vocab_size())
    free = Decoder(model, tokenizer, ends=()).complete([Request(prompt=PROMPT, max_tokens=20, temperature=0)])[0]
    ended = Decoder(model, tokenizer, ends=[free.tokens[7]]).complete([Request(prompt=PROMPT, temperature=0)])[0]
    assert ended.tokens == free.tokens[: free.tokens.index(free.tokens[7])]
    assert ended.finish == "stop"


def test_log_probabilities_are_those_of_the_model(decoder: Decoder) -> None:
    answer = decoder.complete([Request(prompt=PROMPT, max_tokens=8, seed=3, logprobs=4)])[0]
    tokens = decoder.encode(PROMPT) + answer.tokens
    with torch.inference_mode():
        logprob_TV = decoder.cache.model(torch.tensor([tokens]))[0].log_softmax(-1)
    for place, likelihood in enumerate(answer.logprobs):
        row_V = logprob_TV[len(tokens) - len(answer.tokens) + place - 1]
        assert likelihood.token == answer.tokens[place]
        assert likelihood.logprob == pytest.approx(float(row_V[likelihood.token]), abs=1e-4)
        assert [token for token, _, _ in likelihood.alternatives] == row_V.topk(4).indices.tolist()


def test_an_answer_ends_where_the_context_does(decoder: Decoder) -> None:
    prompt = tuple(range(10, 110))
    endless = Decoder(decoder.cache.model, decoder.tokenizer, ends=())
    answer = endless.complete([Request(prompt=prompt, temperature=0, max_tokens=1000)])[0]
    assert len(answer.tokens) == decoder.config.context - len(prompt)
    assert answer.finish == "length"


def test_leaving_a_stream_frees_its_slot(decoder: Decoder) -> None:
    free = len(decoder.free)
    stream = decoder.generate(Request(prompt=PROMPT, max_tokens=50))
    next(stream)
    assert len(decoder.free) == free - 1
    stream.close()
    assert len(decoder.free) == free
    assert not decoder.active and not decoder.waiting


@pytest.mark.parametrize(
    ("prompt", "error", "says"),
    [
        ((), InputError, "empty"),
        ((1, 10_000), InputError, "numbered 0 to"),
        ((1,) * 128, PromptTooLong, "128 tokens"),
        ("x" * 10_000_000, PromptTooLong, "context of 128"),
        ("\ud800", InputError, "surrogate"),
    ],
)
def test_a_prompt_that_cannot_be_answered_is_named(
    decoder: Decoder, prompt: str | tuple[int, ...], error: type[InputError], says: str
) -> None:
    with pytest.raises(error, match=says):
        decoder.prepare(Request(prompt=prompt))


def test_a_tokenizer_of_another_model_is_refused() -> None:
    with pytest.raises(InputError, match="the model 300"):
        Decoder(tiny_model(vocabulary_size=300), tiny_tokenizer())
