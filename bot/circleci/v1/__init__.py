"""CircleCI's API v1.1, https://circleci.com/docs/api/v1/ , where a build is one job run."""

from bot.circleci.v1.api import Api as Api
