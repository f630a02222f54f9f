"""Who may have caused what CircleCI was asked: judged by the file and the requests alone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from playground.circleci.world import World
from tests.oracle.ledger import Act, is_green
from tests.oracle.rules import WAITING, Person, Ref, Rules, Verdict, Wish
from tests.oracle.wants import Want

ON_PROJECTS = ("secrets", "keys", "admin", "nobody")
# What somebody reads who holds a lock from then on, or has lifted one. Whoever is told otherwise has changed none: a
# *Take over* or an *Unlock* that stands there from before is about another lock, and who may not look may not lock.
# Who asks by mention reads what all read.
ALL_READ = "all read that they "
_NEWS = tuple(f"{ALL_READ}{what}" for what in ("locked ", "changed the lock on ", "took over "))
HOLDS = ("is locked. I refuse", "You had locked", "You hold the lock on", *_NEWS)
LIFTED = ("is unlocked.", "is gone, but", f"{ALL_READ}lifted ")


class Did(NamedTuple):
    """What one person did, and where: what they wanted, or which button of a question they pressed.

    Whoever asks through an agent, or is one, has an `owner_id` too: who answers for it.
    `once` is the same for whatever must come to one act, however often it is delivered.
    """

    person: Person
    channel_id: str
    once: str
    wants: tuple[Want, ...] = ()
    answers: str = ""
    owner_id: str = ""


@dataclass
class Judge:
    """Knows the file, and what people have asked for, typed, allowed and locked so far, as they were told.

    `gone` are the agents that somebody has removed.
    """

    rules: Rules
    world: World
    asked: list[Did] = field(default_factory=list)
    typed: set[tuple[str, str]] = field(default_factory=set)
    over_red: set[tuple[str, Ref | None]] = field(default_factory=set)
    locks: dict[tuple[str, Ref | None], str] = field(default_factory=dict)
    carried_out: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def wrong(self, done: Sequence[Did], acts: Sequence[Act], told: Mapping[str, str]) -> Iterator[str]:
        """Yield what must not have been, a sentence each; remember what was done, and `told` to each by their id."""
        for one in done:
            self._note_answer(one)
        for act in acts:
            if not any(self._explains(one, act) for one in done):
                wished = [did for did in self.asked if _wants(did, act)]
                yield f"nobody may have done this: {act}\n    wished before: {wished}\n    locks: {self.locks}"
        chances = len({one.once for one in done if one.once not in self.carried_out})
        # What surely did nothing may be tried again, and a cancel at any time: it is an emergency stop.
        once = [act for act in acts if act.may_have_been and act.word != "cancel"]
        for (*what, target), times in Counter((act.word, act.slug, act.ref, act.target) for act in once).items():
            # Two deploys of one branch are two, where two people asked for them.
            if times > (1 if target else chances):
                yield f"{times} times: {what} {target}"
        if acts:
            self.carried_out |= {one.once for one in done if one.once.startswith("typed")}
        for one in done:
            self.asked += [one] * bool(one.wants)
            self._note_locks(one, told.get(one.person.user_id, ""))

    def may(self, one: Did, word: str, slug: str, ref: Ref | None) -> Verdict:
        """Return what the file says about one person's wish, where they said it."""
        project = self.world.projects.get(slug)
        names = (slug, f"{project.organization}/{project.name}") if project else (slug,) if slug else ()
        return self.rules.verdict(one.person, Wish(word, names, ref, one.channel_id))

    def _explains(self, one: Did, act: Act) -> bool:
        if one.once in self.carried_out:
            return False
        if act.word in ON_PROJECTS or act.target.endswith("/build-cache"):
            return self.may(one, act.word, act.slug, None).allowed
        earlier = [did for did in self.asked if _wants(did, act)]
        match one.answers:
            case "agree_deploy":
                return any(did.person != one.person and self._permits(did, act, one) for did in earlier)
            case "deploy_anyway":
                may = self.may(one, "approve", act.slug, act.ref).allowed
                return may and any(self._permits(did, act) for did in earlier)
            case "type_target" | "choose_definition" | "deploy_beside":
                return any(did.person == one.person and self._permits(did, act) for did in earlier)
            case _:
                return _wants(one, act) and self._permits(one, act)

    def _permits(self, asker: Did, act: Act, agreed: Did | None = None) -> bool:
        """Say whether somebody's act may go out by now, with whoever agreed to it."""
        both = [asker, *([agreed] if agreed else [])]
        if not all(self.may(one, word, act.slug, act.ref).allowed for one in both for word in (act.word, *act.also)):
            return False
        verdict = self.may(asker, act.word, act.slug, act.ref)
        if asker.person.agent and not self._agent_may(asker, act, agreed, verdict):
            return False
        return (
            not (verdict.second_person and agreed is None)
            and not (verdict.typed and (asker.person.user_id, act.ref.name if act.ref else "") not in self.typed)
            and not (verdict.green and self._is_red(act))
            and not (act.word in WAITING and self._keeps_out({one.person.user_id for one in both}, act))
        )

    def _agent_may(self, asker: Did, act: Act, agreed: Did | None, verdict: Verdict) -> bool:
        """Say whether an agent's wish may go out: not without a press, and nobody has answered a question for it."""
        owner_agreed = agreed is not None and agreed.person.user_id == asker.owner_id
        ref = act.ref if act.ref and act.ref.kind != "tag" else None
        return (
            asker.person.agent not in self.gone
            and (verdict.alone or agreed is not None)
            and not (verdict.second_person and owner_agreed)
            and not verdict.typed
            and not (verdict.green and ref and not is_green(self.world, act.slug, ref))
        )

    def _is_red(self, act: Act) -> bool:
        if act.ref is None or act.ref.kind == "tag" or (act.slug, act.ref) in self.over_red:
            return False
        return not is_green(self.world, act.slug, act.ref)

    def _keeps_out(self, people: set[str], act: Act) -> bool:
        holders = {self.locks.get((act.slug, None)), self.locks.get((act.slug, act.ref))} - {None}
        return bool(holders - people)

    def _note_answer(self, one: Did) -> None:
        if one.answers == "deploy_anyway":
            for did in self.asked:
                for want in did.wants:
                    if self.may(one, "approve", want.slug, want.ref).allowed:
                        self.over_red.add((want.slug, want.ref))

    def _note_locks(self, one: Did, told: str) -> None:
        for want in one.wants:
            place = (want.slug, want.ref)
            if want.word == "unlock" and any(words in told for words in LIFTED):
                self.locks.pop(place, None)
            elif want.word in ("lock", "take") and any(words in told for words in HOLDS):
                self.locks[place] = one.person.user_id


def _wants(one: Did, act: Act) -> bool:
    return any((want.word, want.slug, want.ref) == (act.word, act.slug, act.ref) for want in one.wants)
