"""The nouns: CircleCI's (`circleci`), a pipeline seen whole (`build`), and Slack's (`slack`)."""
