"""Pages and plots: markup that cannot be broken by text, charts as SVG, one look."""
