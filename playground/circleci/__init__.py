"""CircleCI as a bot meets it: projects and their pipelines on a clock, behind API v2 and v1.1."""
