"""TFX components: each folder declares one, with a thin executor over a plain library."""
