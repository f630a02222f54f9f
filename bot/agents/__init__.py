"""The face for agents: the same commands as tools, over the Model Context Protocol.

An agent is a caller like any other, in the name of a person (`bot/models/agent.py`): it looks at what its owner may
look at, and what it wants done is asked of people where they are, in Slack. Nothing here presses a button.
"""
