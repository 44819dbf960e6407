"""The model: configuration, transformer, Hugging Face in and out, generation."""
