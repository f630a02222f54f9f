"""What an agent does without a person's press it does once, however it is spelled: claimed is what a call came to."""

import hashlib
import json

from bot.errors import AskedAlready
from bot.models.asked import REPEATED_WITHIN
from bot.models.attempt import ParameterValue
from bot.models.caller import Caller
from bot.models.pending import Deployment, Wish
from bot.models.slack import utc_now
from bot.operations.hands import Hands
from bot.operations.standing import about


async def claimed(hands: Hands, caller: Caller, wish: Wish) -> str:
    """Claim it for this call and return the claim; raises AskedAlready where another call came to the same lately."""
    name = claim_of(caller, wish)
    holder = await hands.store.claims.claim(name, caller.delivery_id, REPEATED_WITHIN)
    if holder != caller.delivery_id:
        error = AskedAlready(caller.person_id, wish.target, asked_at=utc_now(), url="")
        error.repeats = error.pending_id = holder
        raise error
    return name


def claim_of(caller: Caller, wish: Wish) -> str:
    """Return what names the same act of the same agent; with another key it is another one.

    Whoever calls again may write `1` for `"1"`: no two deploys are meant by that.
    """
    if isinstance(wish, Deployment):
        wish = wish.model_copy(update={"parameters": {name: _spelled(one) for name, one in wish.parameters.items()}})
    same = json.dumps([caller.agent, caller.person_id, str(caller.agent_since), caller.key, about(wish)])
    return f"done-by-agent:{hashlib.sha256(same.encode(errors='replace')).hexdigest()}"


def _spelled(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
