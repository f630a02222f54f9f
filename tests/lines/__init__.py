"""Lines as people type them, in all the places where they may, and what each of them does."""
