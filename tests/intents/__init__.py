"""Plain words: what a sentence is read as."""
