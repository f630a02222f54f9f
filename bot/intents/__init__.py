"""Plain words: which command a sentence means that begins with none, and what it names. Pure."""
