"""Which errors are nobody's fault, and which scope a method needs."""

# What is a state of the world, and no mistake of the bot.
WEATHER = frozenset(
    {
        "account_inactive",
        "already_reacted",
        "cant_delete_message",
        "cant_update_message",
        "channel_not_found",
        "hash_conflict",
        "invalid_thread_ts",
        "is_archived",
        "message_not_found",
        "no_reaction",
        "not_in_channel",
        "thread_not_found",
        "token_expired",
        "token_revoked",
        "user_not_found",
        "user_not_in_channel",
    }
)
# The scope a method needs; the others need none.
SCOPES = {
    "assistant.threads.setStatus": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "conversations.open": "im:write",
    "conversations.info": "channels:read",
    "conversations.members": "channels:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "users.lookupByEmail": "users:read.email",
    "users.conversations": "channels:read",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "team.info": "team:read",
}
# Reading what was said needs the scope of that kind of conversation.
HISTORY_SCOPES = {"public": "channels:history", "private": "groups:history", "im": "im:history"}
# What an app is granted that nobody took a scope from.
GRANTED = frozenset({*SCOPES.values(), *HISTORY_SCOPES.values(), "app_mentions:read", "commands", "groups:read"})
# These only ask, and take no JSON: what a JSON body says is not heard. https://docs.slack.dev/apis/web-api#post-bodies
DEAF_TO_JSON = frozenset(
    {
        "bots.info",
        "conversations.history",
        "conversations.info",
        "conversations.members",
        "conversations.replies",
        "team.info",
        "usergroups.list",
        "usergroups.users.list",
        "users.conversations",
        "users.info",
        "users.list",
        "users.lookupByEmail",
    }
)
