"""`make bench`: figures for what a newcomer cannot see, most of them as ratios measured in one run."""
