"""What a run would find on this machine, and how to get what is missing."""
