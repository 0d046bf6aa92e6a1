"""What a run of a study takes, in seconds and memory, before anyone waits."""
