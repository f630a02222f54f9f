"""A team under a drawn policy: what its people do by chance, and what came of each move."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from bot.actions import ButtonAction
from bot.errors import BotError
from bot.models.audit import Entry, Outcome
from bot.models.caller import Caller
from bot.models.caller import Place as Where
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.circleci import Ref as GitRef
from bot.models.pending import Deployment
from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline
from playground.slack.api import Slack
from playground.slack.conversations import Json, Message
from playground.slack.delivery import Delivery
from playground.slack.modals import View
from playground.slack.people import Person as Typist
from tests.golden.stage import Stage
from tests.operations.agents import made
from tests.oracle import offers
from tests.oracle.judge import ALL_READ, Did, Judge
from tests.oracle.ledger import Act, act_of, ref_of
from tests.oracle.rules import WAITING, Ref, Rules
from tests.oracle.wants import Want, of_button, of_text, ref_named
from tests.stories.team import FORMS, Team, bot_at_work, far_sides

LISTS = ("recent", "projects", "locks", "subscriptions")  # of which each line is for those who may read it
WORDS = ("use", "again", "again note=y", "status", "deploy", "rerun", "cancel", "approve")
UNNAMED = tuple(f": {one}" for one in WORDS)  # said alone, they are about what the channel uses
EXAMPLES = re.compile(r"For example|`(/ci|@ci) (use|subscribe) acme/frontend")  # of everybody's world
QUIET: dict[str, object] = {
    "admins": "U0ADMIN",
    "circleci_webhook_secret": "x",
    "public_url": "https://ci.example",
    "poll_interval_seconds": 30,  # looks are pulled forward
    "circleci_requests_per_second": 0,
    "slack_posts_per_second_per_channel": 0,
    "slack_updates_per_minute": 0,
}


@dataclass
class Tally:
    """What was played; `wrong` is what must not have been."""

    policies: int = 0
    sequences: int = 0
    moves: int = 0
    writes: int = 0
    accepted: int = 0
    agreed: int = 0
    asked: int = 0
    faults: int = 0
    restarts: int = 0
    wrong: list[str] = field(default_factory=list)


class Place(NamedTuple):
    """A button before somebody's eyes, in a message."""

    message: Message
    element: Json

    @property
    def looks(self) -> tuple[int, bool]:
        """What changes when the message is edited or taken away."""
        return len(self.message.history), self.message.deleted

    @property
    def kind(self) -> str:
        """What the button is called in our own code."""
        return str(self.element["action_id"]).partition(":")[0]


@asynccontextmanager
async def playing(rules: Rules, judged_by: Rules, chance: Random, folder: Path, tally: Tally) -> AsyncIterator["Play"]:
    """Start a team under these rules, in the middle of its day."""
    _written(folder, rules)
    async with far_sides(speed=0) as (circleci, slack), AsyncExitStack() as stack:
        play = Play(judged_by, chance, folder, tally, circleci, slack, stack)
        await play.starts()
        await play.prepares()
        yield play
        slack.problems.clear()  # forged presses bear what Slack itself would not send


def _written(folder: Path, rules: Rules) -> None:
    folder.mkdir(parents=True)
    (folder / "policy.toml").write_text(rules.toml(), encoding="utf-8")


class Play:
    """One team, whose day goes on from sequence to sequence."""

    def __init__(
        self,
        rules: Rules,
        chance: Random,
        folder: Path,
        tally: Tally,
        circleci: CircleCI,
        slack: Slack,
        stack: AsyncExitStack,
    ) -> None:
        self._judge = Judge(rules, circleci.world)
        self._chance, self._folder, self._tally = chance, folder, tally
        self._circleci, self._slack, self._stack = circleci, slack, stack
        self._deliveries: list[tuple[Did, Delivery]] = []
        self._windows: dict[str, tuple[Place, View]] = {}
        self._number = 0
        self._told: list[str] = []

    async def starts(self) -> None:
        """Start the bot, or another after it."""
        await self._stack.aclose()
        settings = {**QUIET, "policy_file": self._folder / "policy.toml"}
        bot = bot_at_work(self._circleci, self._slack, self._folder / "data", **settings)  # type: ignore[arg-type]  # settings
        self.team: Team = await self._stack.enter_async_context(bot)
        self._stage = Stage(self.team)

    async def prepares(self) -> None:
        """Let builds be there of every kind: green, red, on hold, running, and of a pull request."""
        world = self._circleci.world
        for slug in ("gh/acme/frontend", "gh/acme/backend"):
            for branch, scenario in (("release/v2.0", "failing-tests"), ("hold/prod", "on-hold"), ("pull/7", "green")):
                world.set_scenario(slug, branch, scenario)
            world.set_scenario(slug, "pull/7/head", "green")
            world.projects[slug].tags["v2.0"] = world.projects[slug].branches["main"]
            for branch in ("main", "release/v2.0", "pull/7"):
                world.trigger(slug, branch=branch, parameters={}, by="barbara")
        world.clock.advance(timedelta(seconds=400))
        for slug in ("gh/acme/frontend", "gh/acme/backend"):
            for branch in ("hold/prod", "try/slow"):
                world.trigger(slug, branch=branch, parameters={}, by="barbara")
        world.clock.advance(timedelta(seconds=60))
        world.tick()
        for pipeline in world.pipelines:
            if pipeline.branch != "main":
                project = pipeline.slug.removeprefix("gh/")
                await self._slack.person("grace").command("deploys", "/ci", f"watch {project} #{pipeline.number}")
        await self._stage.is_quiet()
        for name, (person, owner) in offers.AGENTS.items():
            await made(self.team, self._slack.person(owner), name, own=person.kind == "agent")

    async def sequence(self, longest: int) -> None:
        """Let people do a few things in a row."""
        self._told = []
        self._tally.sequences += 1
        for _ in range(self._chance.randint(1, longest)):
            await self._move()

    async def _move(self) -> None:
        self._tally.moves += 1
        match self._chance.choices(
            ("say", "press", "fill", "forge", "again", "time", "ask", "change", "restart"),
            (6, 8, 4, 1, 1, 1, 2.5, 0.4, 0.2),
        )[0]:
            case "say":
                await self._judged(self._says, *self._somebody())
            case "press":
                await self._presses()
            case "fill":
                await self._fills()
            case "forge":
                await self._judged(self._forges, *self._somebody())
            case "again" if self._deliveries:
                await self._judged(self._comes_again)
            case "time":
                await self._passes()
            case "ask":
                await self._judged(self._asks, self._chance.choice([*offers.AGENTS]))
            case "change":
                await self._changes(self._chance.choice([*offers.AGENTS]))
            case "restart":
                self._tally.restarts += 1
                await self.starts()

    async def _says(self, name: str) -> list[Did]:
        text = offers.text(self._chance, self._circleci.world)
        typist = self._slack.person(name)
        where = self._chance.choice([one for one in ("deploys", "deploys", "releases") if self._is_in(name, one)])
        channel_id = self._slack.workspace.channel(where).id
        self._number += 1
        did = Did(offers.PEOPLE[name], channel_id, f"typed {self._number}", of_text(text, self._circleci.world))
        self._note(f"{name} in #{where}: {text}")
        saying = typist.mention(where, text) if self._chance.random() < 0.3 else typist.command(where, "/ci", text)
        delivery = await self._handled(saying)
        self._deliveries.append((did, delivery))
        return [did]

    async def _asks(self, name: str) -> list[Did]:
        """Let an agent ask for an act; what it cannot have is refused in words of ours."""
        person, owner = offers.AGENTS[name]
        self._number += 1
        caller = Caller(
            person_id=self._slack.person(owner).id,
            name=owner,
            agent=name,
            reason="because",
            place=Where(channel_id=self.team.deploys.id),
            delivery_id=f"mcp:{self._number}",
        )
        pipeline, word = self._chance.choice(self._circleci.world.pipelines), self._chance.choice(offers.ASKED)
        wanted = Want(word, pipeline.slug, ref_of(pipeline))
        self._note(f"{name} asks: {word} #{pipeline.number} {wanted}")
        self._tally.asked += 1
        with suppress(BotError):
            await self._asked_for(caller, word, pipeline)
        channel_id, once = self.team.deploys.id, f"typed {self._number}"
        return [Did(person, channel_id, once, (wanted,), owner_id=caller.person_id)]

    async def _asked_for(self, caller: Caller, word: str, pipeline: Pipeline) -> None:
        act, pipeline_id = self.team.app.operations, PipelineId(pipeline.id)
        if word == "rerun":
            ssh = self._chance.random() < 0.1
            await act.rerun(caller, pipeline_id, failed_only=self._chance.random() < 0.3, ssh=ssh)
        elif word == "cancel":
            await act.cancel(caller, pipeline_id)
        else:
            project = self._circleci.world.projects[pipeline.slug]
            ref = GitRef(name=pipeline.tag, kind="tag") if pipeline.tag else GitRef(name=pipeline.branch or "main")
            title = f"{project.organization}/{project.name}"
            wish = Deployment(project_slug=ProjectSlug(pipeline.slug), project_title=title, ref=ref)
            await act.deploy(caller, wish)

    async def _changes(self, name: str) -> None:
        """Let somebody remove an agent, or make it again."""
        agents, (person, owner) = self.team.app.store.agents, offers.AGENTS[name]
        found = await agents.get(name)
        self._note(f"{name} is {'removed' if found else 'made again'}")
        if found:
            await agents.remove(found)
            self._judge.gone.add(name)
        else:
            await made(self.team, self._slack.person(owner), name, own=person.kind == "agent")
            self._judge.gone.discard(name)

    async def _presses(self) -> None:
        """Press a button: alone, twice, or two people at once; then the pressers must see a sign."""
        (name,) = self._somebody()
        places = self._places(name)
        if not places:
            return
        asked = [one for one in places if one.kind in offers.QUESTIONS]
        acting = [one for one in places if one.kind not in offers.READING]
        place = self._chance.choice(asked[-2:] if asked and self._chance.random() < 0.6 else acting or places)
        names = [name]
        if self._chance.random() < 0.25:
            other = self._chance.choice(list(offers.PEOPLE))
            names.append(other if any(one.element is place.element for one in self._places(other)) else name)
        if place.kind in FORMS:
            names = names[:1]  # a person has one window before them
        await self._judged(self._press, place, *names, signs=True)

    async def _press(self, place: Place, *names: str) -> list[Did]:
        done, clicks = [], []
        wants = of_button(place.element["action_id"], place.element.get("value") or "", self._circleci.world)
        for name in names:
            self._note(f"{name} presses {place.kind} {place.element.get('value')}")
            answers = place.kind if place.kind in offers.QUESTIONS and place.kind not in FORMS else ""
            once = f"pressed {place.message.ts} {place.element['action_id']}"
            done.append(Did(offers.PEOPLE[name], place.message.channel.id, once, wants, answers))
            clicks.append(self._slack.person(name).click(place.message, place.element))
        self._tally.agreed += place.kind == "agree_deploy"
        person = self._slack.person(names[0])
        mark, was, before = person.mark, place.looks, person.modal
        await asyncio.gather(*clicks)
        if place.kind in FORMS:
            with suppress(TimeoutError):  # then nothing came of the press, which is told
                await self._slack.wait_for(
                    lambda: person.modal is not before or person.sees_only_since(mark) or place.looks != was, 30
                )
            if person.modal is not None:
                self._windows[names[0]] = (place, person.modal)
        return done

    async def _fills(self) -> None:
        """Fill in a window that stands open, rightly or not, and send it."""
        open_now = [
            name for name in offers.PEOPLE if self._slack.person(name).modal is not None and name in self._windows
        ]
        if open_now:
            await self._judged(self._fill, self._chance.choice(open_now))

    async def _fill(self, name: str) -> list[Did]:
        place, view = self._windows.pop(name)
        person = self._slack.person(name)
        value = self._chance.choice(("main", "release/v2.0", "hold/prod", "v2.0", "x"))
        fields = {one["block_id"]: value for one in view.blocks if one.get("type") == "input"}
        self._note(f"{name} fills in {place.kind}: {value}")
        if place.kind == "type_target":
            self._judge.typed.add((offers.PEOPLE[name].user_id, value))
        answers = place.kind if place.kind in offers.QUESTIONS else ""
        await person.submit(view, fields)
        if person.modal is not None:
            await person.close(person.modal)
        return [Did(offers.PEOPLE[name], place.message.channel.id, f"filled {view.id}", (), answers)]

    async def _forges(self, name: str) -> list[Did]:
        """Press what no message of ours bears: a button made up of ids that somebody may have seen."""
        kind = self._chance.choice(sorted(ButtonAction.__subclasses__(), key=lambda one: one.action_id))
        value = json.dumps(
            {field: offers.id_of(field, self._chance, self._circleci.world) for field in kind.model_fields}
        )
        message = self._slack.workspace.post(self.team.deploys, self._slack.workspace.bot_user_id, "Forged.", [])
        wants = of_button(kind.action_id, value, self._circleci.world)
        answers = kind.action_id if kind.action_id in offers.QUESTIONS else ""
        self._note(f"{name} forges {kind.action_id} {value}")
        element = {"type": "button", "action_id": kind.action_id, "block_id": "b", "value": value}
        await self._slack.person(name).click(message, element)
        return [Did(offers.PEOPLE[name], message.channel.id, f"pressed {message.ts} {kind.action_id}", wants, answers)]

    async def _comes_again(self) -> list[Did]:
        """Deliver once more what was delivered before."""
        did, delivery = self._chance.choice(self._deliveries)
        self._note(f"delivered again: {did}")
        await self._handled(self._slack.redeliver(delivery))
        return [did]

    async def _passes(self) -> None:
        seconds = self._chance.choice((10, 60, 400))
        self._note(f"{seconds} s go by")
        await self._stage.moves_on(seconds)

    async def _judged(self, move: object, *given: object, signs: bool = False) -> None:
        """Make a move, wait until all is done, and hold what came of it against the file."""
        is_spoiled = self._chance.random() < 0.12
        if is_spoiled:
            self._tally.faults += 1
            fault = self._chance.choice(offers.FAULTS)
            self._note(f"CircleCI's next answer to a POST: {fault}")
            self._circleci.faults.add("POST", "*", **fault)
        seen, before, entries = len(self._circleci.requests), self._signs(), await self._done()
        whispered, shown = len(self._slack.workspace.ephemerals), len(self._told_all())
        said = len(self._said())
        done: list[Did] = await move(*given)  # type: ignore[operator]  # one of the methods above
        await self._stage.is_quiet()
        self._circleci.faults.clear()
        acts = [act_of(one, self._circleci.world) for one in self._circleci.requests[seen:] if one.method != "GET"]
        if signs and self._signs() == before and not acts:
            self._says_wrong("nothing came of a press")
        whispers = self._slack.workspace.ephemerals[whispered:]
        for wrong in self._judge.wrong(done, acts, _told(whispers, self._said()[said:])):
            self._says_wrong(wrong)
        told = [(str(one.only_for), one) for one in whispers]
        self._hold_reading([*told, *((done[0].person.user_id, one) for one in self._told_all()[shown:] if done)])
        await self._hold_record(done, acts, entries, spoiled=is_spoiled)
        self._tally.writes += len(acts)
        self._tally.accepted += sum(act.accepted for act in acts)

    def _told_all(self) -> list[Message]:
        """Return what stands before everybody because somebody shared it, or asked for a list by mention."""
        return [one for one in self._said() if "Shared by " in one.visible or _lists(one)]

    def _said(self) -> list[Message]:
        """Return what the bot has said before everybody, in the order of it."""
        channels = self._slack.workspace.channels.values()
        said = [one for channel in channels for one in channel.everything if one.bot_id]
        return sorted(said, key=lambda one: one.ts.partition(".")[2])

    def _hold_reading(self, told: Sequence[tuple[str, Message]]) -> None:
        """See that what somebody may not read, on whatever branch, is in nothing that they are answered."""
        world, text = self._circleci.world, self._told[-1] if self._told else ""
        for user_id, message in told:
            person = next(one for one in offers.PEOPLE.values() if one.user_id == user_id)
            for slug, project in world.projects.items():
                built = [one for one in world.everything if one.slug == slug]
                named = {ref_named(one) for one in offers.REFS}  # a lock may be on what nothing has built yet
                places = [None, Ref(project.default_branch), *{ref_of(one) for one in built}, *named]
                if any(
                    self._judge.may(Did(person, message.channel.id, ""), "read", slug, ref).allowed for ref in places
                ):
                    continue
                secret = {one.revision[:7] for one in built}
                title = f"{project.organization}/{project.name}"
                if text.endswith((*LISTS, *UNNAMED)) and not EXAMPLES.search(message.visible):
                    secret.add(title)
                if shown := [one for one in secret if one in message.visible]:
                    self._says_wrong(f"{person.user_id} may not read {title}, and is told {shown}: {message.visible}")

    async def _hold_record(self, done: Sequence[Did], acts: Sequence[Act], before: int, *, spoiled: bool) -> None:
        """Each act must have its entry, in the name of somebody who did something, and each entry its act."""
        entries = await self._entries()
        new = entries[: len(entries) - before]
        people = {who for did in (*done, *self._judge.asked) for who in (did.person.user_id, did.owner_id) if who}
        for act in acts:
            told = [one for one in new if one.word in (act.word, *act.also) and one.user_id in people]
            if act.accepted and not told and act.word != "nobody":
                self._says_wrong(f"no entry for {act}")
        for entry in new:
            is_act = entry.word in (*WAITING, "cancel") and entry.pipeline_number is not None
            if is_act and not spoiled and not [act for act in acts if act.accepted] and "lock" not in entry.what:
                self._says_wrong(f"an entry without an act: {entry}")

    async def _done(self) -> int:
        return len(await self._entries())

    async def _entries(self) -> list[Entry]:
        """Return what was done so far, newest first."""
        audit = self.team.app.store.audit
        return await audit.lately(timedelta(days=1), lambda one: one.outcome is Outcome.DONE, 10**4)

    def _says_wrong(self, what: str) -> None:
        said = "\n    ".join(self._told)
        self._tally.wrong.append(f"{what}\n    {said}\n{(self._folder / 'policy.toml').read_text(encoding='utf-8')}")

    def _note(self, text: str) -> None:
        self._told.append(text)

    async def _handled(self, act: Awaitable[Delivery]) -> Delivery:
        delivery = await act
        await self._stage._is_handled(delivery)
        return delivery

    def _somebody(self) -> tuple[str]:
        return (self._chance.choices(list(offers.PEOPLE), (6, 6, 2, 1, 1))[0],)

    def _is_in(self, name: str, channel: str) -> bool:
        return offers.PEOPLE[name].user_id in self._slack.workspace.channel(channel).members

    def _places(self, name: str) -> list[Place]:
        """Return the buttons that somebody sees."""
        person: Typist = self._slack.person(name)
        workspace = self._slack.workspace
        said = [one for channel in workspace.channels_of(person.id) for one in channel.messages if one.bot_id]
        messages = sorted([*said, *(one for one in person.sees_only)], key=lambda one: one.ts)
        return [
            Place(one, one.element(label))
            for one in messages
            for label in one.buttons
            if "url" not in one.element(label)
        ]

    def _signs(self) -> tuple[int, ...]:
        """Return what changes when anybody sees anything new."""
        workspace = self._slack.workspace
        said = [one for channel in workspace.channels.values() for one in channel.everything] + workspace.ephemerals
        windows = [view.hash for stack in self._slack.modals.stacks.values() for view in stack]
        return len(said), sum(len(one.history) + one.deleted for one in said), hash(tuple(windows))


def _told(whispers: Sequence[Message], news: Sequence[Message]) -> dict[str, str]:
    """Return what each person was told, by their id: alone, or by what all are told that they did."""
    told = {one.user_id: [f"{ALL_READ}{did}" for did in _did(name, news)] for name, one in offers.PEOPLE.items()}
    for one in whispers:
        told[one.only_for or ""].append(one.visible)
    return {person: "\n".join(lines) for person, lines in told.items()}


def _did(name: str, news: Sequence[Message]) -> Iterator[str]:
    """Yield what a channel is told that somebody did with a lock."""
    for one in news:
        mark, _, said = one.visible.partition(" ")
        if mark in ("🔒", "🔓") and said.startswith(f"{name} "):
            yield said.removeprefix(f"{name} ")


def _lists(message: Message) -> bool:
    """Say whether a message answers a mention that asked for a list."""
    root = message.channel.find(message.thread_ts or "")
    return root is not None and root.text.endswith(LISTS)
