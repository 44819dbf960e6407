"""Release: everything the journey made, as one signed bundle that a stranger can check."""
