"""Who may do what, until there is a policy: ADMINS administer, and people of other workspaces only read."""

from bot.errors import NotAllowed
from bot.messenger import Messenger
from bot.models.slack import Click, Invocation
from bot.settings import Settings

# What touches secrets, keys, SSH or the installation.
FOR_ADMINS = frozenset({"admin", "secrets", "keys", "ssh"})
_DOING = {
    "admin": "look into me",
    "secrets": "change secrets",
    "keys": "look at or change keys",
    "ssh": "open builds to SSH",
}


class Permissions:
    """Asks the settings; a policy will take their place."""

    def __init__(self, settings: Settings, messenger: Messenger, *, team_id: str) -> None:
        self._settings = settings
        self._messenger = messenger
        self._team_id = team_id

    async def check(self, said: Invocation | Click, permission: str) -> None:
        """Return when somebody may do this; raises NotAllowed with the rule that decided."""
        if said.team_id and said.team_id != self._team_id and permission != "read":
            raise NotAllowed(said.user_id, permission, "people from other workspaces may only read")
        admins = self._settings.admins
        if permission in FOR_ADMINS and said.user_id not in admins:
            names = [await self._messenger.user_name(user_id) for user_id in admins[:5]]
            who = f"the people in ADMINS: {', '.join(names)}" if names else "the people in ADMINS, which is not set"
            raise NotAllowed(said.user_id, _DOING[permission], f"it is for {who}")
