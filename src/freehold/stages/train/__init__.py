"""The train stage: token shards in, a model that learned from them out."""
