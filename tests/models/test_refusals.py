"""How long each refusal of Slack's holds: what heals is tried again, the rest moves the watch or ends it."""

import pytest

from bot.models.refusals import CHANNEL_GONE, HEALS, MESSAGE_GONE, PERSON_GONE, TOKEN_GONE, UNSURE, Refused, refused

FOR_GOOD = (
    "cannot_reply_to_message",
    "channel_not_found",
    "ekm_access_denied",
    "is_archived",
    "not_in_channel",
    "org_login_required",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "thread_not_found",
    "user_disabled",
    "user_not_found",
)
FOR_NOW = (
    "ClientConnectorError",
    "TimeoutError",
    "fatal_error",
    "http_500",
    "http_503",
    "internal_error",
    "invalid_auth",
    "ratelimited",
    "service_unavailable",
    "token_revoked",
)
NOBODY_KNOWS = ("", "http_404", "missing_scope", "msg_too_long", "some_new_code")


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        *((code, Refused.FOR_GOOD) for code in FOR_GOOD),
        *((code, Refused.FOR_NOW) for code in FOR_NOW),
        *((code, Refused.NOBODY_KNOWS) for code in NOBODY_KNOWS),
    ],
)
def test_a_refusal_heals_or_is_for_good(code: str, holds: Refused) -> None:
    assert refused(code) is holds


def test_no_code_means_two_things() -> None:
    kinds = (CHANNEL_GONE, PERSON_GONE, MESSAGE_GONE, TOKEN_GONE, UNSURE, HEALS)
    assert len(frozenset().union(*kinds)) == sum(map(len, kinds))
