"""evidence/README.md: what lies in the evidence folder, and how a stranger checks it."""

from __future__ import annotations

from freehold.proof.tree.sparse import Tree
from freehold.stages.release.facts import Facts

TEXT = """# Evidence for {title}

Everything needed to check this release offline. Get the publisher's public key from the publisher, by a way you
trust; a key found inside a release proves nothing.

## With Freehold

```sh
pip install freehold                       # the lean core: no torch, no network at run time
freehold verify RELEASE --trust {party}.pub
```

`RELEASE` is the folder that holds `model/` and `evidence/`. Each check says PASS, FAIL or NOT CHECKED. Exit code 0:
every check passed; 3: one failed, and where a byte was changed it is named; 4: nothing failed, but something was
not checked, for example because no key was given.

## With the verifier in this folder

```sh
pip install cryptography
python3 RELEASE/evidence/verify.pyz --trust {party}.pub
```

It makes the same checks, but a verifier that comes with what it checks can lie about it: take it from a place you
trust, such as a release that you have verified before.

## Is a text in it?

```sh
freehold verify RELEASE --trust {party}.pub --document FILE --proof PROOF.json   # INCLUDED or ABSENT
freehold check-proof PROOF.json --document FILE --root {root}                  # without the release
```

The root of the tree of training documents is `{root}`.
It stands for exactly {keys:,} keys: digests of the texts as they were trained on, and of the files that they came from.
Whoever holds a text can ask. A text that curation changed (personal data, repairs) is known as it was left.

## Without Freehold

```sh
pip install model-signing pyopenssl
model_signing verify key RELEASE --public_key {party}.pub \\
    --signature RELEASE/evidence/signatures/{party}.sigstore.json    # it overlooks .git folders; ours does not
{digests}
```

The last line of `refine/chain.jsonl` names {same} as `checkpoint`; every line names the digest of the line
before it as `previous`, back to {origin}.

## What is here

| file | what it says |
| --- | --- |
| `release.json` | SHA-256 and size of every file of the release |
| `signatures/PARTY.sigstore.json` | a party's signature over all of them (OMS layout: in-toto, DSSE, ECDSA P-256) |
| `verify.pyz` | the verifier as one file, for Python 3.11 or later with `cryptography` |
| `policy.json` | who should have signed, with key fingerprints, and how many are enough |
| `locators.json` | checksums that let `verify` name a changed byte |
| `steps/STAGE.intoto.jsonl` | what each stage took and made, by digest; the outputs of one are the inputs of the next |
| `corpus/sources.jsonl` | every source with licence, origin, opt-out check and the SHA-256 of its files |
| `corpus/rights.json`, `corpus/croissant.json` | grounds of what was kept; the corpus for other tools |
| `corpus/documents.smt` | the tree of training documents: sorted SHA-256 digests, no text |
| `tokenizer/fairness.json` | what the same content costs in tokens in each language |
| `train/recipe.json`, `train/environment.lock` | what is needed to run the training again |
| `train/chain.jsonl`, `refine/chain.jsonl` | the weights after every segment, each link naming the one before |
| `evaluation/` | results, every single answer and completion, held-out text in bits, what is known by heart |
| `law/` | documents for the EU, Korea and Japan; `declared.json`: what people stated; `packs.json`: by which rules |
| `bom/ai.cdx.json` | bill of materials: model, data, software, machine (CycloneDX 1.7) |

## What it does not prove

Checks and replays catch drift and tampering. They do not catch a publisher who builds a consistent false chain from
the start, and no list proves that it names every input.
"""


ONE = "sha256sum RELEASE/model/model.safetensors  # {weights}"
SHARDS = "sha256sum RELEASE/model/*.safetensors  # as evidence/release.json lists them"
TABLE = "{weights}, the SHA-256 of the canonical JSON table of these files and digests,"


def evidence_guide(facts: Facts, *, party: str, weights: str, files: int, tree: Tree) -> str:
    """The guide for this release; `weights` is the digest of the weights, which are in so many files."""
    digests = ONE.format(weights=weights) if files == 1 else SHARDS
    same = "the same digest" if files == 1 else TABLE.format(weights=weights)
    origin = "the weights drawn from the published seed"
    if facts.base is not None:
        origin = f"the weights of the open model {facts.base.name}, whose SHA-256 its first line gives as `base`"
    return TEXT.format(
        title=facts.title, party=party, digests=digests, same=same, origin=origin, root=tree.root, keys=len(tree)
    )
