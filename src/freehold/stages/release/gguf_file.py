"""The same model as one GGUF file, tokenizer included, for llama.cpp and Ollama.

Names, keys and token types follow llama.cpp's own converter (conversion/base.py and conversion/qwen.py, build
11549). Every weight keeps the precision it has in the safetensors file, so what was measured there holds here;
norms become float32 (exactly), because llama.cpp computes them so. Qwen3 rotates halves (NEOX), as transformers
does: no row is permuted.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from freehold.errors import InputError
from freehold.stages.release.weights import Tensor, tensors_of_folder

ARCHITECTURE = "qwen3"
# The published o200k_base pattern, as it stands in tokenizer.json.
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
TYPES = {
    "F32": gguf.GGMLQuantizationType.F32,
    "F16": gguf.GGMLQuantizationType.F16,
    "BF16": gguf.GGMLQuantizationType.BF16,
}
FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "BF16": gguf.LlamaFileType.MOSTLY_BF16,
}


class NoGguf(InputError):
    """A model or a tokenizer that we cannot write as GGUF; the release goes on without."""


def obstacle(model: Path) -> str | None:
    """Why the Hugging Face folder `model` cannot be written as GGUF; None if it can."""
    try:
        check_shape(json.loads((model / "config.json").read_text(encoding="utf-8")))
        split_name(json.loads((model / "tokenizer.json").read_text(encoding="utf-8")))
    except NoGguf as why:
        return why.message
    return None


def write_gguf(model: Path, target: Path, *, title: str, version: str, licence: str, languages: list[str]) -> None:
    """Write the Hugging Face folder `model` (Qwen3ForCausalLM, byte-level BPE) as one GGUF file.

    Raises NoGguf for another architecture or tokenizer, naming what is not understood.
    """
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    tensors = tensors_of_folder(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(target, ARCHITECTURE)
    writer.add_type("model")
    writer.add_name(title)
    writer.add_version(version)
    writer.add_license(licence)
    writer.add_languages(languages)
    add_shape(writer, config, precision=main_precision(tensors))
    add_vocabulary(writer, model, size=int(config["vocab_size"]))
    for name, tensor in sorted(((gguf_name(name), tensor) for name, tensor in tensors.items()), key=reading_order):
        bits, kind = stored_bits(tensor)
        writer.add_tensor(name, bits, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_shape(writer: gguf.GGUFWriter, config: dict[str, Any], *, precision: str) -> None:
    """The numbers that shape the network. Raises NoGguf where llama.cpp's qwen3 could not follow them."""
    check_shape(config)
    rope = config.get("rope_parameters") or {}
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_freq_base(float(rope["rope_theta"] if "rope_theta" in rope else config["rope_theta"]))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(FILE_TYPES[precision])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def check_shape(config: dict[str, Any]) -> None:
    """Raise NoGguf for all but a plain Qwen3: what else llama.cpp runs, its own converter writes."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if config.get("architectures") != ["Qwen3ForCausalLM"]:
        message = f"no GGUF form here for {', '.join(config.get('architectures') or ['an unnamed architecture'])}"
    elif kind != "default" or config.get("use_sliding_window") or config.get("attention_bias"):
        odd = f"{kind!r} positions" if kind != "default" else "sliding windows or attention biases"
        message = f"no GGUF form here for a Qwen3 with {odd}"
    else:
        return
    raise NoGguf(message, where="model/config.json", remedy="convert it with llama.cpp's own converter")


def add_vocabulary(writer: gguf.GGUFWriter, model: Path, *, size: int) -> None:
    """Tokens, their types, merges, special tokens and the chat template; ids beyond the tokenizer's are padding."""
    tokenizer = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    settings = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    by_id = {number: token for token, number in tokenizer["model"]["vocab"].items()}
    special = {entry["id"]: entry for entry in tokenizer["added_tokens"]}
    by_id |= {number: entry["content"] for number, entry in special.items()}
    if max(by_id) >= size:
        message = f"the tokenizer has an id {max(by_id)}, the model {size} rows"
        raise InputError(message, where="model/tokenizer.json", remedy="tokenize and train again")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split_name(tokenizer))
    writer.add_token_list([by_id.get(number, f"[PAD{number}]") for number in range(size)])
    writer.add_token_types([int(token_type(number, by_id, special)) for number in range(size)])
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    )
    ids = {token: number for number, token in by_id.items()}
    for role, add in {
        "bos_token": writer.add_bos_token_id,
        "eos_token": writer.add_eos_token_id,
        "pad_token": writer.add_pad_token_id,
    }.items():
        if (token := settings.get(role)) is not None:
            add(ids[token["content"] if isinstance(token, dict) else token])
    writer.add_add_bos_token(begins_with_bos(tokenizer, settings))
    writer.add_add_eos_token(False)
    if (template := model / "chat_template.jinja").is_file():
        writer.add_chat_template(template.read_text(encoding="utf-8"))


def gguf_name(name: str) -> str:
    """llama.cpp's name of a tensor. Raises InputError for one that a Qwen3 model does not have.

    >>> gguf_name("model.layers.3.self_attn.q_proj.weight")
    'blk.3.attn_q.weight'
    """
    found = re.fullmatch(r"(?:model\.layers\.(\d+)\.)?(.+)\.weight", name)
    if found is None or found[2] not in NAMES:
        raise InputError(f"no GGUF name for the tensor {name}", where="model/model.safetensors", remedy="report this")
    return f"blk.{found[1]}.{NAMES[found[2]]}.weight" if found[1] else f"{NAMES[found[2]]}.weight"


def reading_order(named: tuple[str, Tensor]) -> tuple[int, int, str]:
    """Embedding first, then the blocks in their order, then what follows the last one."""
    name = named[0]
    if name.startswith("blk."):
        return (1, int(name.split(".")[1]), name)
    return (0 if name.startswith("token_embd") else 2, 0, name)


def stored_bits(tensor: Tensor) -> tuple[NDArray[Any], gguf.GGMLQuantizationType]:
    """What stands in the file for a tensor, and its type; raw bytes let the writer take bf16 as it is."""
    if tensor.data.ndim < 2:
        return tensor.float32(), TYPES["F32"]
    return tensor.data.view(np.uint8), TYPES[tensor.precision]


def main_precision(tensors: dict[str, Tensor]) -> str:
    """The precision that most weights have."""
    sizes = dict.fromkeys(TYPES, 0)
    for tensor in tensors.values():
        sizes[tensor.precision] += tensor.size
    return max(sizes, key=lambda precision: sizes[precision])


def token_type(number: int, by_id: dict[int, str], special: dict[int, dict[str, Any]]) -> gguf.TokenType:
    """Normal, control (never printed, matched whole), user-defined (matched whole) or unused padding."""
    if number not in by_id:
        return gguf.TokenType.UNUSED
    if number not in special:
        return gguf.TokenType.NORMAL
    return gguf.TokenType.CONTROL if special[number]["special"] else gguf.TokenType.USER_DEFINED


def begins_with_bos(tokenizer: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Whether the tokenizer puts the first token before a text by itself."""
    steps = tokenizer.get("post_processor") or {}
    templates = [step for step in steps.get("processors", [steps]) if step.get("type") == "TemplateProcessing"]
    return bool(settings.get("add_bos_token")) or any("SpecialToken" in step["single"][0] for step in templates)


def split_name(tokenizer: dict[str, Any]) -> str:
    """llama.cpp's name for the way a tokenizer splits text before merging. Raises NoGguf if it knows none.

    Its "gpt-4o" takes only ASCII for upper and lower case. Measured on 0.5 MB of law each: the same tokens in
    German, French, Japanese, Korean and Polish, 37 more of 136,000 in Spanish (words in capitals with an accent).
    """
    step = tokenizer.get("pre_tokenizer") or {}
    patterns = [
        part["pattern"].get("Regex") for part in step.get("pretokenizers", [step]) if part.get("type") == "Split"
    ]
    if patterns != [O200K] or tokenizer.get("normalizer") is not None or tokenizer["model"].get("type") != "BPE":
        message = "llama.cpp has no name for the way this tokenizer splits text"
        raise NoGguf(message, where="model/tokenizer.json", remedy="tokenize with the o200k pattern")
    return "gpt-4o"
