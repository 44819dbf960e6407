"""What a person sees of a curation: a page to browse, beside the artifact and never in it."""
