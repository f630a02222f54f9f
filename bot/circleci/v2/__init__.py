"""CircleCI's API v2, https://circleci.com/docs/api/v2/ ."""

from bot.circleci.v2.api import API as API
from bot.circleci.v2.api import Api as Api
