"""What a refusal of Slack's means: for the moment, for good, or nobody knows."""

from enum import StrEnum

# The place takes nothing from us any more, or never did: https://docs.slack.dev/reference/methods/chat.postMessage
CHANNEL_GONE = frozenset(
    {
        "access_denied",
        "cannot_reply_to_message",
        "channel_not_found",
        "channel_type_not_supported",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "method_not_supported_for_channel_type",
        "not_allowed",
        "not_in_channel",
        "org_login_required",
        "posting_to_general_channel_denied",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "team_access_not_granted",
        "team_not_found",
        "thread_not_found",
        "user_not_in_channel",
    }
)
# Nor does the person: https://docs.slack.dev/reference/methods/conversations.open
PERSON_GONE = frozenset(
    {
        "cannot_dm_bot",
        "invalid_user_combination",
        "no_user",
        "not_enough_users",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_list_not_supplied",
        "users_not_found",
    }
)
# The message whose thread it was takes no reply any more, but its channel may.
THREAD_GONE = frozenset({"thread_not_found", "cannot_reply_to_message", "restricted_action_thread_locked"})
# The message we edited is not ours to edit any more.
MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
# Whoever runs the bot has to do something, for all places at once.
TOKEN_GONE = frozenset({"account_inactive", "token_revoked", "invalid_auth", "not_authed", "token_expired"})
# Slack's own trouble, of which nobody knows whether it took the call all the same.
UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
HEALS = frozenset(
    {
        "accesslimited",
        "external_channel_migrating",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "team_added_to_org",
    }
)


class Refused(StrEnum):
    """How long a refusal holds."""

    FOR_NOW = "for now"
    FOR_GOOD = "for good"
    NOBODY_KNOWS = "nobody knows"


def refused(code: str) -> Refused:
    """Return how long a refusal holds; `code` is Slack's own, `http_503`, or the name of an error of the network."""
    if code in HEALS | UNSURE | TOKEN_GONE or code.startswith("http_5") or is_of_the_network(code):
        return Refused.FOR_NOW
    return Refused.FOR_GOOD if code in CHANNEL_GONE | PERSON_GONE else Refused.NOBODY_KNOWS


def is_of_the_network(code: str) -> bool:
    """Say whether nothing was answered: such as TimeoutError, where Slack's own codes are all in small letters."""
    return code[:1].isupper()


def was_answered(code: str) -> bool:
    """Say whether it is Slack's own code: not of the network, and not a status without one, which may be anybody's."""
    return not is_of_the_network(code) and not code.startswith("http_")


def passes(code: str) -> bool:
    """Say whether it is Slack's own code, and of the moment: asked again, it may answer otherwise."""
    return code in HEALS | UNSURE
