"""The pipeline as TFX components, its gates and its lineage."""
