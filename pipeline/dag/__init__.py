"""The pipeline as TFX components, with its gates and lineage."""
