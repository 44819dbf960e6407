"""The openai client talks to the real server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import openai
import pytest

MODEL = "tiny-town"
ASKED = [{"role": "user", "content": "Was ist die Würde?"}]


def test_models_and_health(client: openai.OpenAI, url: str) -> None:
    listed = client.models.list().data
    assert [model.id for model in listed] == [MODEL]
    assert client.models.retrieve(MODEL).object == "model"
    with urllib.request.urlopen(f"{url}/health") as answer:
        assert json.load(answer)["status"] == "ok"


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=ASKED, max_completion_tokens=12, seed=4)
    choice = answer.choices[0]
    assert (choice.message.role, choice.finish_reason) in {("assistant", "length"), ("assistant", "stop")}
    assert isinstance(choice.message.content, str)
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert 0 < answer.usage.completion_tokens <= 12


def test_a_stream_is_the_whole_answer_in_pieces(client: openai.OpenAI) -> None:
    wanted = {"model": MODEL, "messages": ASKED, "max_tokens": 40, "seed": 4, "temperature": 0.9, "top_p": 0.95}
    whole = client.chat.completions.create(**wanted)
    chunks = list(client.chat.completions.create(**wanted, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_several_answers_with_one_seed_differ_and_repeat(client: openai.OpenAI) -> None:
    wanted = {"model": MODEL, "messages": ASKED, "max_tokens": 20, "seed": 11, "n": 3}
    first, again = (client.chat.completions.create(**wanted) for _ in range(2))
    said = [choice.message.content for choice in first.choices]
    assert len(set(said)) == 3
    assert said == [choice.message.content for choice in again.choices]
    streamed = ["", "", ""]
    for chunk in client.chat.completions.create(**wanted, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == said


def test_messages_in_parts_and_from_a_developer(client: openai.OpenAI) -> None:
    plain = [{"role": "system", "content": "Kurz."}, *ASKED]
    parts = [
        {"role": "developer", "content": [{"type": "text", "text": "Kurz."}]},
        {"role": "user", "content": [{"type": "text", "text": "Was ist "}, {"type": "text", "text": "die Würde?"}]},
    ]
    said = [
        client.chat.completions.create(model=MODEL, messages=messages, max_tokens=10, temperature=0).choices[0].message
        for messages in (plain, parts)
    ]
    assert said[0].content == said[1].content


def test_chat_log_probabilities(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=ASKED, max_tokens=6, temperature=0, logprobs=True, top_logprobs=3
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content
    for entry in logprobs.content:
        assert len(entry.top_logprobs) == 3
        assert entry.logprob == entry.top_logprobs[0].logprob <= 0
    data = bytes(byte for entry in logprobs.content for byte in entry.bytes or [])
    assert data.decode(errors="replace") == answer.choices[0].message.content


def test_completions_of_text_and_tokens(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model=MODEL, prompt=["Die Würde", "대한민국은"], max_tokens=9, temperature=0, n=2, logprobs=2
    )
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert answer.choices[0].text == answer.choices[1].text
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.tokens
    assert len(logprobs.tokens) == len(logprobs.token_logprobs or []) == len(logprobs.text_offset or [])
    tokens = client.completions.create(model=MODEL, prompt=[[0, 20, 30], [0, 21]], max_tokens=3)
    assert len(tokens.choices) == 2
    assert tokens.usage is not None and tokens.usage.prompt_tokens == 5


def test_completions_stream_and_echo(client: openai.OpenAI) -> None:
    wanted = {"model": MODEL, "prompt": "Die Würde", "max_tokens": 25, "seed": 2, "echo": True}
    whole = client.completions.create(**wanted).choices[0].text
    assert whole.startswith("Die Würde")
    assert "".join(chunk.choices[0].text for chunk in client.completions.create(**wanted, stream=True)) == whole


def test_stop_strings(client: openai.OpenAI) -> None:
    wanted = {"model": MODEL, "prompt": "Die Würde", "max_tokens": 40, "seed": 3}
    free = client.completions.create(**wanted).choices[0].text
    answer = client.completions.create(**wanted, stop=["\0never", free[6:9]]).choices[0]
    assert answer.text == free[: free.index(free[6:9])]
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize(
    ("change", "param", "says"),
    [
        ({"temperature": -1}, "temperature", "greater than or equal to 0"),
        ({"temperature": float("nan")}, "temperature", "finite"),
        ({"top_p": 0}, "top_p", "greater than 0"),
        ({"n": 1000}, "n", "less than or equal to"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"max_tokens": "7"}, "max_tokens", "integer"),
        ({"stop": [""]}, "stop", "at least 1"),
        ({"frequency_penalty": 0.5}, None, "frequency_penalty is not supported"),
        ({"response_format": {"type": "json_object"}}, None, "response_format is not supported"),
        ({"tools": [{"type": "function"}]}, None, "tools is not supported"),
        ({"wings": 2}, "wings", "not known"),
        ({"top_logprobs": 2}, "top_logprobs", "needs logprobs"),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role", "'system'"),
        ({"messages": [{"role": "user", "content": "<|im_end|>"}]}, "messages", "control token"),
        ({"messages": [{"role": "user", "content": "Recht " * 500}]}, "prompt", "context of 256"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, None, "nicode"),
    ],
)
def test_bad_requests_are_refused_in_openais_form(
    client: openai.OpenAI, url: str, change: dict[str, object], param: str | None, says: str
) -> None:
    body = json.dumps({"model": MODEL, "messages": ASKED} | change).encode()
    request = urllib.request.Request(f"{url}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400
    error = json.load(refused.value)["error"]
    assert says in error["message"]
    assert error["type"] == "invalid_request_error"
    assert param is None or error["param"].startswith(param)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"model": "tiny-town"}'])
def test_bodies_that_are_no_requests_are_refused(url: str, body: bytes) -> None:
    request = urllib.request.Request(f"{url}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400
    assert json.load(refused.value)["error"]["message"]


def test_unknown_models_and_routes_are_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model is called"):
        client.chat.completions.create(model="other", messages=ASKED)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model=MODEL, input="x")
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model=MODEL, prompt="x " * 5000)
    assert refused.value.code == "context_length_exceeded"


def test_forty_clients_at_once_each_get_their_own_answer(url: str) -> None:
    wanted = {"model": MODEL, "messages": ASKED, "max_tokens": 24, "stream": True}

    async def ask(client: openai.AsyncOpenAI, seed: int) -> str:
        stream = await client.chat.completions.create(**wanted, seed=seed)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def everyone() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=120) as client:
            return list(await asyncio.gather(*(ask(client, seed % 5) for seed in range(40))))

    said = asyncio.run(everyone())
    assert len(set(said)) == 5
    for seed in range(5):
        assert len(set(said[seed::5])) == 1


def test_a_client_that_leaves_before_its_answer_frees_its_slots(client: openai.OpenAI, url: str) -> None:
    place = urlsplit(url)
    body = json.dumps({"model": MODEL, "prompt": "Die", "max_tokens": 250, "n": 8}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    for _ in range(20):  # 160 answers: were they still waiting, the last call would be refused
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(head.encode() + b"\r\n\r\n" + body)
            time.sleep(0.02)
    begun = time.monotonic()
    client.completions.create(model=MODEL, prompt="Die", max_tokens=2)
    assert time.monotonic() - begun < 10


def test_a_client_that_leaves_frees_its_slot(client: openai.OpenAI, url: str) -> None:
    for _ in range(30):  # more than the slots: if they stayed taken, the last call would wait for 200 tokens of each
        stream = client.completions.create(model=MODEL, prompt="Die", max_tokens=250, stream=True, n=8)
        next(iter(stream))
        stream.close()
    begun = time.monotonic()
    client.completions.create(model=MODEL, prompt="Die", max_tokens=2)
    assert time.monotonic() - begun < 10
