"""Keys, and signatures made with them: over a release, and over small statements."""
