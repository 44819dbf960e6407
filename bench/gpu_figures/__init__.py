"""The figures that want a GPU, each a worker that runs in a process of its own; `bench/gpu.py` calls them."""
