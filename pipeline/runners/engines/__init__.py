"""The engines that run Beam pipelines: their flags, and what must be there before a run starts."""
