"""Files that run the single steps of a job in other systems, one module per system."""
