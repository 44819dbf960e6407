"""The tables of a charter: their keys, kinds and defaults.

Every table is a frozen dataclass that pydantic checks when `charter_file` reads it; unknown keys are refused by name.
Paths are relative to the charter's folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len
from pydantic import ConfigDict, StringConstraints

from freehold.mirror import SCHEME

LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Count = Annotated[int, Gt(0)]
# A kind of personal data; `national-id` is that of every country, `national-id:DE` of one.
Personal = Annotated[
    str, StringConstraints(pattern=r"^(email|phone|iban|card|ip|imei|crypto|national-id(:[A-Z]{2})?)$")
]
Entry = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")]  # module:function
Day = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]  # ISO 8601
Obtained = Literal["public", "licensed", "private", "crawled", "user", "synthetic", "other"]
Share = Annotated[float, Ge(0), Le(1)]
Rate = Annotated[float, Gt(0), Le(10)]
STRICT = ConfigDict(extra="forbid")
RESERVED = frozenset(  # tables and lists that name files beside the sources, and a source of ours
    {"policy", "curate", "base", "refine", "evaluate", "against", "packs", "canaries"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """Who answers for the model, and under which jurisdiction."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: str
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1 alpha-2
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of the model and its share of the training tokens."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: LanguageCode  # ISO 639-3
    share: Annotated[float, Ge(0.001), Le(1)] | None = None  # a window in 1,000 at least; None: by temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Files that hold documents, with the right to use them."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Slug
    path: str  # a file, a folder, a git repository, a glob, or s3://BUCKET/KEY (a beginning or a glob of keys)
    origin: str  # where the text was published
    format: Literal["auto", "jsonl", "parquet", "txt", "html", "xml", "epub", "pdf", "warc"] = "auto"
    licence: str | None = None  # None: every record names its own
    statute: str | None = None  # the ground on which a work is free of copyright
    language: LanguageCode | None = None  # None: every record names its own, or it is detected
    reference: bool = False  # good text: the bounds of quality are learned from it
    domain: Slug | None = None  # what kind of text it is, in your words: law, literature, press

    @property
    def remote(self) -> bool:
        """Whether it lies in an object store and is read from a copy."""
        return self.path.startswith(SCHEME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may enter, and what is removed from it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    licences: Annotated[tuple[str, ...], Len(1)]
    opt_out: str = "none"  # or a file: one URL, domain, document id or SHA-256 a line
    opt_out_time: Literal["at_fetch", "latest", "both"] = "both"  # which notices of a host count
    notices: str | None = None  # folder of robots.txt and tdmrep.json files, HOST/robots.txt
    agent: Slug | None = None  # the name by which robots.txt files may address whoever runs this charter
    overrides: str | None = None  # file of decisions on single documents, JSON Lines
    redact: tuple[Personal, ...] = ("email", "phone", "iban", "card", "national-id", "ip", "imei", "crypto")
    names: Entry | None = None  # your own finder of persons' names, module:function; None: names are not looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """Rules a document must pass."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    min_characters: Count = 200
    max_characters: Count = 5_000_000
    near_duplicate: Annotated[float, Ge(0.6), Le(1)] = 0.8  # share of the longer text's tokens, in order, two share
    prefer: tuple[Literal["licence", "quality", "date", "order"], ...] = (
        "licence",
        "quality",
        "date",
    )  # which copy stays
    versions: Literal["newest", "all"] = "newest"  # of one law
    against: tuple[str, ...] = ()  # corpora curated earlier, whose documents are not wanted again
    contaminated: Literal["drop", "report"] = "drop"  # documents that hold an item of [evaluate].packs
    boilerplate: Literal["report", "cut"] = "report"  # paragraphs that recur in documents of several sources
    boilerplate_documents: Annotated[int, Ge(2)] = 20  # so many keep such a paragraph
    held_out_bytes: Annotated[int, Ge(0)] = 400_000  # per language, at most a tenth of it
    language_confidence: Share = 0.5
    language_model: str | None = None  # a fastText file; None: the bundled model
    mixed: Literal["keep", "split", "drop"] = "keep"  # texts in several languages: keep them labelled, or part them
    recurring_lines: Share = 0.2  # of a source's documents, from which an imprint is cut out of them; 0: never
    labels: str | None = None  # JSON Lines of id or text, and label keep or drop: learn what to drop
    max_lost: Share = 0.1  # of a source's records, to faults of its files; more stops the stage
    canaries: Annotated[int, Ge(0), Le(1000)] = 0  # random sequences planted in each language 1, 4 and 16 times


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What training reads of it: shares beside those of [[languages]]. How often at most: [train].max_epochs."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    domains: dict[Slug, Share] | None = None  # shares within every language; None: by temperature, or as they come
    temperature: Annotated[float, Gt(0), Le(100)] | None = None  # where no shares are given: size ^ (1 / temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An open model to go on from. Without this table training begins at random weights."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    path: str  # its Hugging Face folder
    licence: str | None = None  # of its weights; None: what the head of its README.md says
    new_tokens: Annotated[int, Ge(0)] = 0  # learned from the sample and appended to its vocabulary
    freeze: tuple[str, ...] = ()  # stays as it is: embedding, head, attention, feed-forward, norms, blocks:0-3
    learning_rate: Rate = 0.002  # Muon, hidden matrices; the rates of [train] all shrink by the same factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """A byte-level BPE vocabulary learned from a sample balanced over the languages."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    vocabulary: Annotated[int, Ge(300), Le(1_000_000)] = 8192  # a base brings its own
    sample_bytes: Count = 12_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One dial, `depth`, sets width, heads and rates; None means derived from it, with a base taken from that."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    depth: Annotated[int, Gt(0), Le(200)] | None = None  # None: 6
    family: Literal["qwen3", "llama", "mistral", "qwen2", "olmo2", "deepseek_v3"] | None = None  # None: qwen3
    experts: Count | None = None  # deepseek_v3 alone: in each layer but the first
    experts_per_token: Count | None = None
    expert_width: Count | None = None
    width: Count | None = None
    heads: Count | None = None
    kv_heads: Count | None = None
    head_size: Count | None = None
    ffn_width: Count | None = None
    tied: bool | None = None
    context: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """The budget (tokens, steps, or minutes on this machine) and the recipe."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    tokens: Count | None = None
    steps: Count | None = None
    minutes: Annotated[float, Gt(0)] | None = None
    sequence: Annotated[int, Ge(16)] = 512  # tokens
    batch_tokens: Count = 8192  # tokens a step
    seed: int = 20261121
    device: Literal["auto", "cpu", "cuda"] = "auto"
    ranks: Annotated[int, Ge(0)] = 0  # processes that share every batch; 0: one for each GPU, one on a CPU
    precision: Literal["auto", "bf16", "fp32", "fp8"] = "auto"  # fp8: NVIDIA Hopper or newer
    compile: bool = True
    learning_rate: Rate = 0.02  # Muon, hidden matrices
    embedding_learning_rate: Rate = 0.3
    head_learning_rate: Rate = 0.004
    vector_learning_rate: Rate = 0.01
    weight_decay: Share = 0.1
    warmup_steps: Annotated[int, Ge(0)] = 0
    decay_share: Share = 0.5  # of the steps, at the end, linear to zero
    goldfish: Annotated[int, Ge(0)] = (
        0  # never predict one token in so many (against verbatim memory); 0: off, else at least 2
    )
    document_mask: bool = False  # attention does not cross from one document into the next
    max_epochs: Annotated[float, Gt(0)] | None = None  # of a language's text; what is over goes to the others
    checkpoint_steps: Count = 50
    keep_checkpoints: Count = 2  # the newest, until the stage is finished
    keep_every: Count | None = None  # steps whose checkpoints stay in the artifact too, for a replay


@dataclass(frozen=True, slots=True, kw_only=True)
class RopeScaling:
    """How rotary angles reach beyond the context learned so far (yarn, linear or llama3)."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    type: Literal["yarn", "linear", "llama3"] = "yarn"
    factor: Annotated[float, Gt(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of training; without any, [train] is the only one. Phases set the rate, [train] the budget."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Slug
    share: Annotated[float, Gt(0), Le(1)]  # of the tokens
    rate: tuple[Share, Share] = (1.0, 1.0)  # factor of the learning rates at its start and end, linear between
    languages: dict[LanguageCode, Share] | None = None  # shares; None: those of [[languages]]
    sources: tuple[Slug, ...] = ()  # only these; none: all
    sequence: Annotated[int, Ge(16)] | None = None  # tokens; None: that of [train]
    rope_theta: Annotated[float, Gt(1)] | None = None  # from here on; None: as before
    rope_scaling: RopeScaling | None = None  # from here on; None: as before


@dataclass(frozen=True, slots=True, kw_only=True)
class Refine:
    """The supervised pass; without instructions the pre-trained model goes on unchanged."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    instructions: str | None = None
    epochs: Count = 1
    learning_rate: Rate = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """Question packs beside bits per byte, and sample completions per language."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    packs: tuple[str, ...] = ()
    completions: Annotated[int, Ge(0)] = 2
    memorisation: Annotated[int, Ge(0), Le(10_000)] = 32  # passages of each language and frequency; 0: not measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody besides the responsible party who signs the release, with their own key, on their own machine."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    key: str  # file with their public key


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the result is called and how it may be used."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Slug
    version: Slug = "0.1.0"
    licence: str = "Apache-2.0"
    parties: tuple[Party, ...] = ()  # who signs besides the responsible party: name, and key (a file, their public key)
    threshold: Count = 1  # how many signatures are enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What only people can say for the documents that law asks for. What is left empty is listed there as a gap."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    obtained: dict[Slug, Obtained] = field(default_factory=dict)  # source → how; "refine" is the instructions
    representative: str = ""  # authorised representative in the Union: name and contact, or why none is needed
    rights_contact: str = ""  # where rightsholders ask
    small_enterprise: bool | None = None  # a small or medium-sized provider, by the Union's definition
    code_of_practice: bool | None = None  # signatory of the Union's code for general-purpose models
    high_impact: bool | None = None  # intended for uses that Korea calls high-impact
    published: Day = ""  # first release through any channel
    union_market: Day = ""  # placed on the Union market
    collected: str = ""  # the latest day of data acquisition
    still_trained: bool | None = None  # on new data, after this release
    content_types: str = ""  # fiction, law, press …
    channels: tuple[str, ...] = ()  # of distribution
    intended_uses: str = ""
    restricted_uses: str = ""
    acceptable_use: str = ""  # a link to the policy, or that there is none
    rationale: str = ""  # why the model and its training are as they are
    bias: str = ""  # measures to detect biases
    illegal_content: str = ""  # measures to avoid or remove it
    energy_mwh: Annotated[float, Gt(0)] | None = None  # of training, measured
    power_watts: Annotated[float, Gt(0)] | None = None  # mean draw while training: energy is derived from it
    crawler_names: str = ""  # where sources were crawled; [policy].agent goes before it
    crawler_purposes: str = ""
    crawl_period: str = ""
    synthetic_models: str = ""  # that made synthetic sources
    base_summary: str = ""  # the summary of training content of the base
    base_flop: Annotated[float, Gt(0)] | None = None  # that training the base took
    previous_summary: str = ""  # a link to the version before
    comments: str = ""
    japan_explanation: str = ""  # what of Japan's principle code is not implemented, and why
