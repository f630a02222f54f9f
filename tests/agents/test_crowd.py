"""How much of a process agents may have: what is let in, and what is told to come back."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from bot.agents.crowd import Crowd, TooMany
from bot.models.agent import Agent
from bot.models.slack import utc_now


def an_agent(name: str, owner: str = "U0ADA") -> Agent:
    now = utc_now()
    until = now + timedelta(days=1)
    return Agent(name=name, owner_id=owner, channel_id="C0DEPLOYS", made_at=now, expires_at=until, digest=name)


def test_the_agents_of_one_person_together_keep_an_eighth_open_and_all_a_half() -> None:
    crowd = Crowd(16, 30)
    with ExitStack() as kept:
        for name in ("laptop", "desktop"):
            kept.enter_context(crowd.let_in(an_agent(name)))
        with pytest.raises(TooMany), crowd.let_in(an_agent("phone")):
            pass
        for number in range(6):
            kept.enter_context(crowd.let_in(an_agent(f"other-{number}", f"U{number}")))
        with pytest.raises(TooMany), crowd.let_in(an_agent("last", "U0LAST")):
            pass
    with crowd.let_in(an_agent("phone")), crowd.let_in(an_agent("phone")):
        assert crowd._open == {"U0ADA": 2}
    assert not crowd._open


def test_each_sends_four_requests_for_a_call_until_the_next_minute() -> None:
    at = [125.5]
    crowd = Crowd(256, 2, clock=lambda: at[0])
    for _ in range(8):
        with crowd.let_in(an_agent("laptop")):
            pass
    with pytest.raises(TooMany) as refused:
        crowd.refuse_if_over("laptop")
    assert refused.value.seconds == 55
    with crowd.let_in(an_agent("desktop")):
        at[0] = 180
    crowd.refuse_if_over("laptop")
