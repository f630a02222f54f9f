"""Everything people read, recorded: a changed word shows in a diff."""
