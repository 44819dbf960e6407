"""Fields that no check of the bundle alone can notice when a forger carries a change through, each with its reason.

Names are spelled out, so that a field which is new is none of them and has to be caught. `by` says what notices it
with more than the bundle: a replay (check 6) or scoring again (check 7, with --rescore). Where it is None, the
publisher's word is all there is; docs/threat-model.md says the same in words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """Fields of a file that may change unnoticed."""

    file: str  # the whole path, as a regular expression
    places: str  # the whole place as `leaves.named` writes it, as a regular expression
    by: Literal["replay", "rescore"] | None
    why: str


STEP = r"evidence/steps/{}\.intoto\.jsonl"
ANY_STEP = STEP.format("(curate|tokenize|train|refine|evaluate)")
MACHINE = "what the machine was: numbers that another one cannot have are found by a replay"
UNSEEN = "the files are private; whoever holds the workspace compares their digests"
EXEMPT = (
    Exempt(
        file=r"evidence/(train|refine)/chain\.jsonl",
        places=r"\*\.(documents|checkpoint|learning_rate)",
        by="replay",
        why="batches, weights on the way and their rate come out of the computation alone",
    ),
    Exempt(
        file=r"evidence/(train|refine)/recipe\.json",
        places=r"(compiled|device|kernels|micro|threads|torch|dtype|keep_checkpoints)",
        by="replay",
        why=MACHINE,
    ),
    Exempt(
        file=r"evidence/train/recipe\.json",
        places=r"(shares\.[a-z]+|frozen|decay_share|warmup_steps|document_mask|keep_every|model\.("
        r"bos_id|context|eos_id|experts|family|ffn_bias|ffn_width|head_size|input_bias|kv_heads|latent|norm_eps|"
        r"output_bias|pad_id|post_norm|published|published_generation|qk_norm|rope_theta|scaling|tied|windows))",
        by="replay",
        why="another shape or mixture gives other weights",
    ),
    Exempt(
        file=r"evidence/refine/recipe\.json",
        places=r"(checkpoint_steps|decay_share|frozen|precision|replayed|samples|sequence|warmup_steps)",
        by="replay",
        why="another course of refinement gives other weights",
    ),
    Exempt(
        file=r"evidence/evaluation/answers\.jsonl",
        places=r"\*\.(answer|id|language|nats_per_byte\.\*)",
        by="rescore",
        why="figures stay the same; questions and weights give the answers again",
    ),
    Exempt(
        file=r"evidence/evaluation/completions\.jsonl",
        places=r"\*\.(completion|prompt|seed|temperature|top_p)",
        by="rescore",
        why="the weights write them again",
    ),
    Exempt(
        file=r"evidence/evaluation/held_out\.jsonl",
        places=r"\*\.(document|bits\.[a-z0-9_]+)",
        by=None,
        why="held-out texts are private: their names, and bits within the rounding of the sum, are claims",
    ),
    Exempt(
        file=r"evidence/evaluation/memorisation\.json",
        places=r"(seed|prompt_tokens|continuation_tokens|rows\.\*\.(document|offset|times)|never_planted_nats\.\*|"
        r"canary_rows\.\*\.(id|language|nats|bits|read|of|verbatim))",
        by=None,
        why="the passages are private; tables follow from what each of them gave",
    ),
    Exempt(
        file=r"evidence/evaluation/results\.json",
        places=r"(consumed_bytes|bits_per_byte\.[a-z]+\.before_refinement\.(pretrained|model|bytes))",
        by=None,
        why="figures of a model that is not shipped; their rows are not carried",
    ),
    Exempt(
        file=r"evidence/corpus/sources\.jsonl",
        places=r"\*\.(files\.\*\.bytes|languages\.[a-z]+|domain|drops)",
        by=None,
        why="sizes and languages of files that are private",
    ),
    Exempt(
        file=r"evidence/corpus/rights\.json",
        places=r"(opt_outs\.(notices|kept_without_url|kept_without_notice)|rows\.\*\.ground|hosts\..*|overrides|"
        r"evidence\..*)",
        by=None,
        why="counts over private records that nothing else tells",
    ),
    Exempt(
        file=r"evidence/corpus/croissant\.json",
        places=r"(@context\..*|@type|conformsTo\.\*|creator\.@type|description|distribution\.\*\.("
        r"@id|@type|name|encodingFormat|includes)|inLanguage\.\*|name|rai:.*|recordSet\..*)",
        by=None,
        why="wording for other tools; files, licences and sources are checked",
    ),
    Exempt(
        file=r"evidence/tokenizer/fairness\.json",
        places=r"languages\.[a-z]+\.(seen|fertility|unit|bytes|characters|content_bytes|tokens)",
        by=None,
        why="counts of private texts, as far as all shares stay what they were to four digits",
    ),
    Exempt(
        file=r"evidence/law/declared\.json",
        places=r"(statements\..*|release\.(parties|minutes|.*_of)|responsible\.(contact|country|name))",
        by=None,
        why="what people declare is marked as declared; documents follow from it",
    ),
    Exempt(
        file=r"evidence/law/packs\.json",
        places=r"packs\.\*\.(id|version|sha256)",
        by=None,
        why="rules that this Freehold does not have: no verdict, check 8 is NOT CHECKED and the exit code 4",
    ),
    Exempt(file=r"evidence/policy\.json", places="threshold", by=None, why="a verifier has a threshold of its own"),
    Exempt(
        file=ANY_STEP,
        places=r"\*\.predicate\.(code|format|started|finished|environment\.(python|system|processor|packages\..*))",
        by=None,
        why="code, time and machine are claims; another code gives other digests to whoever runs it again",
    ),
    Exempt(
        file=ANY_STEP,
        places=r"\*\.predicate\.manifest\.("
        r"README\.md|[a-z_]+\.parquet|[a-z_]+\.(json|jsonl|html)|documents/.*|held_out/.*|shards/.*|indexes/.*|"
        r"checkpoints/.*|model/chat_template\.jinja|tokenizer_config\.json|chat_template\.jinja)\.(sha256|size)",
        by=None,
        why=UNSEEN,
    ),
    Exempt(
        file=STEP.format("train"),
        places=r"\*\.predicate\.manifest\.model/[a-z_.]+\.(sha256|size)",
        by=None,
        why="the model before refinement is not shipped; its weights are the chain's",
    ),
    Exempt(
        file=STEP.format("curate"),
        places=r"\*\.predicate\.(parameters\.(curate|mixture|policy|sources\.\*)\..*|parameters\.(phases|base)|"
        r"figures\.(bytes|mixture)\..*|figures\.documents_root)",
        by=None,
        why="words of the charter that this stage alone repeats, and counts over private documents",
    ),
    Exempt(
        file=STEP.format("tokenize"),
        places=r"\*\.predicate\.(parameters\.tokenizer\..*|parameters\.(phases|base)|"
        r"figures\.(bytes_per_token|documents|zero_token_documents|vocabulary|tokens|fertility\..*))",
        by=None,
        why="words of the charter that this stage alone repeats, and counts over private documents",
    ),
    Exempt(
        file=STEP.format("train"),
        places=r"\*\.predicate\.(parameters\.(base|phases|model\.[a-z_]+)|"
        r"parameters\.train\.(minutes|tokens|steps|ranks|device|precision|compile|max_epochs)|"
        r"figures\.(format|fertility\..*|loss|skipped_steps|seconds_per_step|tokens|parameters|tokens_by_language\..*|"
        r"(mixture|supply)\..*))",
        by=None,
        why="the charter's words for what shape and recipe give in figures, and measurements",
    ),
    Exempt(
        file=STEP.format("refine"),
        places=r"\*\.predicate\.(parameters\.refine\.instructions|inputs\.(curate|tokenize)|"
        r"figures\.(format|dropped|instructions|first_loss|last_loss|skipped_steps|taught_tokens))",
        by=None,
        why="measurements, and inputs beside the one that is due",
    ),
    Exempt(
        file=STEP.format("evaluate"),
        places=r"\*\.predicate\.(parameters\.evaluate\..*|inputs\.(curate|tokenize|train))",
        by=None,
        why="how much was asked, and inputs beside the one that is due",
    ),
    Exempt(
        file=ANY_STEP,
        places=r"\*\.predicate\.files\..*",
        by=None,
        why="packs and lists that are read beside the sources; their texts are not carried",
    ),
)


def exempted(file: str, place: str) -> Exempt | None:
    """The entry that a field of a file falls under."""
    found = (one for one in EXEMPT if re.fullmatch(one.file, file) and re.fullmatch(one.places, place))
    return next(found, None)
