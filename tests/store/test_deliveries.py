"""A delivery of Slack is queued once, and handled once."""

from bot.masks import MASK
from bot.models.slack import Click, Invocation
from bot.store import Store


def invocation() -> Invocation:
    return Invocation(id="Ev1", kind="mention", text="help", user_id="U0ADA", team_id="T0ACME", channel_id="C0")


async def test_a_redelivery_is_known_only_once_it_was_queued(store: Store) -> None:
    # C30: a process that dies between recording and queueing loses nothing.
    assert await store.deliveries.record(invocation())
    assert await store.deliveries.record(invocation())
    await store.deliveries.mark_seen("Ev1")
    assert not await store.deliveries.record(invocation())


async def test_what_was_handled_is_not_handled_again(store: Store) -> None:
    await store.deliveries.record(invocation())
    assert await store.deliveries.said(Invocation, "Ev1") == invocation()
    await store.deliveries.mark_done("Ev1")
    assert await store.deliveries.said(Invocation, "Ev1") is None
    assert await store.deliveries.invocation("Ev1") == invocation()


async def test_what_was_refused_is_carried_out_by_nobody_unless_somebody_has_begun(store: Store) -> None:
    assert await store.deliveries.void("Ev1")  # it may be in force before what it is about
    await store.deliveries.record(invocation())
    assert await store.deliveries.said(Invocation, "Ev1") is None
    assert await store.deliveries.void("Ev1")
    begun = invocation().model_copy(update={"id": "Ev2"})
    await store.deliveries.record(begun)
    for _ in range(2):  # the engine may run it again
        assert await store.deliveries.said(Invocation, "Ev2") == begun
        assert not await store.deliveries.void("Ev2")


async def test_what_looks_like_a_credential_is_not_kept_whoever_let_it_come_so_far(store: Store) -> None:
    token = "ghp_" + "a1B2" * 9
    press = Click(id="P1", action_id="a", value=token, user_id="U0ADA", team_id="T0", channel_id="C0", message_ts="1")
    await store.deliveries.record(invocation().model_copy(update={"text": f"deploy {token}"}))
    await store.deliveries.record(press)
    said, pressed = await store.deliveries.said(Invocation, "Ev1"), await store.deliveries.said(Click, "P1")
    assert said is not None
    assert said.text == f"deploy {MASK}"
    assert pressed is not None
    assert pressed.value == MASK
