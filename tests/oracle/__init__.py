"""Nobody gets round: random policies, people and sequences, judged by file and requests alone."""
