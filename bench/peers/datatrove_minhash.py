"""datatrove's MinHash pipeline over one file of texts whose words are set apart by spaces; run by its own Python.

    python datatrove_minhash.py TEXTS.jsonl FOLDER N_GRAMS BUCKETS HASHES

Prints JSON: CPU seconds of the four steps (imports left out) and the cluster of every document that has one.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.word_tokenizers import WordTokenizer


class Spaces(WordTokenizer):
    """Words as the spaces set them apart: the cheapest tokenizer there is."""

    def word_tokenize(self, text: str) -> list[str]:
        """Words of a text."""
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        """Not asked for."""
        raise NotImplementedError

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Not asked for."""
        raise NotImplementedError


def cpu() -> float:
    """CPU seconds of this process and its children."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def main() -> None:
    """Signatures, buckets, clusters, filter."""
    texts, folder = Path(sys.argv[1]), Path(sys.argv[2])
    grams, buckets, hashes = map(int, sys.argv[3:6])
    config = MinhashConfig(n_grams=grams, num_buckets=buckets, hashes_per_bucket=hashes)
    begun = cpu()
    reader = JsonlReader(str(texts.parent), glob_pattern=texts.name, compression=None, doc_progress=False)
    step = MinhashDedupSignature(output_folder=str(folder / "signatures"), config=config, language=Spaces())
    step.run(reader.run(rank=0, world_size=1), rank=0, world_size=1)
    for bucket in range(buckets):
        MinhashDedupBuckets(
            input_folder=str(folder / "signatures"), output_folder=str(folder / "buckets"), config=config
        ).run(rank=bucket, world_size=buckets)
    MinhashDedupCluster(
        input_folder=str(folder / "buckets"), output_folder=str(folder / "remove"), config=config, save_cluster_id=True
    ).run(None, 0, 1)
    reader = JsonlReader(str(texts.parent), glob_pattern=texts.name, compression=None, doc_progress=False)
    with JsonlWriter(str(folder / "dropped"), output_filename="${rank}.jsonl", compression=None) as dropped:
        kept = MinhashDedupFilter(input_folder=str(folder / "remove"), exclusion_writer=dropped, load_cluster_ids=True)
        ids = {document.id: document.metadata.get("minhash_cluster_id") for document in kept.run(reader.run(), 0, 1)}
    spent = cpu() - begun
    for path in (folder / "dropped").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            ids[row["id"]] = row["metadata"].get("minhash_cluster_id")
    clusters = {
        identity: int(cluster) for identity, cluster in ids.items() if cluster is not None and int(cluster) >= 0
    }
    print(json.dumps({"cpu_s": spent, "clusters": clusters}))


if __name__ == "__main__":
    main()
