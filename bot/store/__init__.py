"""What the bot keeps in Redis; nothing else knows its keys.

| key (behind `ci:`)             | value                                       | kept for                  |
| ------------------------------ | ------------------------------------------- | ------------------------- |
| `said:<delivery id>`           | an Invocation or a Click                    | a day                     |
| `seen:<delivery id>`           | it was queued: a redelivery is dropped      | a day                     |
| `done:<delivery id>`           | it was handled: a second run does nothing   | a day                     |
| `taken:<delivery id>`          | a worker has begun, or nobody may any more  | a day                     |
| `questions:<person>`           | what they asked and is not answered yet     | ten minutes               |
| `awaited:<channel id>`         | whose builds have no message there yet      | an hour                   |
| `acted:<pipeline id>`          | what last reran it, and who                 | the retention             |
| `attempt:<delivery id>`        | an Attempt                                  | the retention             |
| `lost:<delivery id>`           | a Lost: an act whose answer was lost        | the retention             |
| `deploys:<project>:<ref>`      | its newest twenty Attempts, reruns too      | the retention             |
| `deploys-of:<pipeline>`        | the newest twenty Attempts that led to it   | the retention             |
| `unsent:<person>`              | their newest Attempts, that may be unsent   | the retention             |
| `pending:<delivery id>`        | a Pending: an act that waits                | the retention             |
| `waiting`                      | delivery ids of Pendings that are not over  | the retention             |
| `waiting-of:<person>`          | the same, of what they and their agents ask | the retention             |
| `standing:<what it is about>`  | whose answer it waits for -> delivery id    | as it may be answered     |
| `claim:<what>`                 | who was first, or how often it was tried    | as the caller says        |
| `window:<id of ours>`          | a Window: who opened it, where, with what   | an hour                   |
| `watches:<pipeline id>`        | watch id -> Watch                           | twice the retention, once |
| `snapshot:<pipeline id>`       | a Snapshot                                  | it has ended, once        |
| `watching`                     | pipeline ids that are polled                | until they end            |
| `looks`                        | pipeline ids, by when they are looked at    | until they end            |
| `looks:had`                    | pipeline id -> the claim of who looks       | until the look is over    |
| `looks:woken`                  | pipeline id -> when the next is asked for   | until the look is over    |
| `asked:<pipeline id>`          | who asked for a look since the last began   | an hour                   |
| `line`, `line:back`            | who waits to look, by rank; till when away  | two minutes               |
| `looked:<pipeline id>`         | a look began just now                       | half a poll interval      |
| `due:<pipeline id>`            | the next look is not due yet                | until it is               |
| `hooks:<project slug>`         | when the last webhook that came happened    | a day                     |
| `young:<pipeline id>`          | somebody acted on it just now               | as the caller says        |
| `heard:<channel>:<project>:<ref>` | Heard: the end it was told last, itself  | the retention             |
| `heard-red:<project>:<ref>`   | a set of the channels whose last is a failure | the retention           |
| `followed-in:<channel>:<ts>`   | the pipeline ids that this thread follows   | the retention             |
| `thread:<channel id>:<ts>`     | the newest of them: earlier versions read it | the retention             |
| `lags`                         | seconds from a build's end to Slack         | a hundred of them         |
| `fence:<pipeline id>`          | whoever compares and tells                  | the lease                 |
| `audit`                        | a stream of Entry, oldest first             | as the caller says        |
| `audit:refused`                | the same, of what was refused               | as the caller says        |
| `locks`                        | what is locked -> Lock                      | until it is unlocked      |
| `locks:over`                   | which lock -> Over, until that is told      | the retention             |
| `waits:<lock>`                 | person -> Waiting, for the lock to end      | the retention             |
| `fence:lock:<lock>`            | whoever tells that it is over               | the lease                 |
| `agents`                       | name -> Agent                               | until it is removed       |
| `agents:tokens`                | the digest of a token -> name               | until it is removed       |
| `agents:used`                  | name -> when it last asked                  | until it is removed       |
| `agent-asked:<delivery id>`    | an Asked: what an agent asked for           | the retention             |
| `agent-told:<agent>:<what>`    | the mark of what it was told last of it     | a day                     |
| `agent-verdict:<pipeline>:<attempt>:<whose>` | what followers read of its end | an hour                   |
| `agent-under-way:<person>:<kind>` | delivery ids of what their agents ask now | five minutes             |
| `fence:agent:<delivery id>`    | whoever carries it out                      | the lease                 |
| `fence:verdict:<pipeline id>`  | whoever finds out about its end             | the lease                 |
| `subscriptions`                | id -> Subscription                          | until it is removed       |
| `subscriptions:projects`       | project -> the ids of its subscriptions     | until they are removed    |
| `subscriptions:channels`       | channel id -> the same                      | until they are removed    |
| `subscriptions:places`         | project -> Fitting: which patterns mean it  | while any does            |
| `subscriptions:renamed:<project>` | what it is called since                 | ninety days               |
| `red:<channel>:<project>`      | branch -> Branch: what was told of it       | ninety days, once         |
| `red:thread:<channel>:<ts>`     | project and branch that it is about         | ninety days               |
| `fence:red:<channel>:<project>:<branch>` | whoever tells of it               | the lease                 |
| `red:orphans`                  | Orphan each: messages that are to end       | ninety days               |
| `unsaid:<channel id>`          | ToSay each: what it is told next            | the retention             |
| `unsaid`                       | the channels with any                       | the retention             |
| `fence:unsaid:<channel id>`    | whoever changes what it hears               | the lease                 |
| `fence:saying:<channel id>`    | whoever says it                             | the lease                 |
| `uses`                         | channel id -> Used, its project             | until it uses nothing     |
| `last:<channel id>:<person>`   | a LastAct: what they did there last         | the retention             |
| `numbered:<channel id>`        | `<number> <pipeline id>` of what it follows | the retention             |
| `own:<person>`                 | pipeline ids they asked for, or follow      | the retention             |
| `pushed:<person>`              | pipeline ids they pushed, as was heard      | the retention             |
| `past:<pipeline id>`           | a PastBuild: its attempts, all ended        | the retention             |
| `listed:<project>:<branch>`    | Listed: a branch's pipelines, but the young | the retention             |
| `results:<project>:<job>`      | JobResults: a job's tests                   | the retention             |
| `steps:<project>:<job>`        | how long each step of a job took, seconds   | the retention             |
| `notices`                      | person -> Notice: what they want to hear    | until they do not         |
| `notices:told:<person>:<pipeline>` | ToldOf: what they were told of it       | the retention             |
| `notices:held:<person>`        | pipeline id -> Held, in their quiet hours   | the retention             |
| `notices:order:<person>`       | these pipeline ids, the oldest first        | the retention             |
| `notices:held`                 | for whom anything is held                   | the retention             |
| `fence:notices:<person>`       | whoever tells them of their builds          | the lease                 |
| `news:mail:<pipeline id>`      | whose commit it is, as a webhook said       | a day                     |
| `news`                         | ids of builds whose end channels may hear   | the retention             |
| `news:<pipeline id>`           | a News: how such a build stands             | the retention             |
| `news:knocks:<pipeline id>`    | how often there was news of it              | an hour                   |
| `news:judged:<project>`        | branch -> its newest build that was told    | the retention             |
| `news:list:<project>`          | a ReadUpTo: how far its list was read       | the retention             |
| `news:found:<project>:<branch>` | its listed builds that were not looked at  | an hour                   |
| `news:took:<project>:<branch>` | how long its last builds took that passed   | the retention             |
| `news:failed:<project>:<branch>:<commit>` | Failures: its tests that failed  | two weeks                 |
| `news:holds-of:<channel id>`   | a set of the builds with such messages      | the retention             |
| `news:holds:<pipeline id>`     | Hold each: messages about what waits in it  | the retention             |
| `told:<channel id>`            | pipeline id -> Reason: why it was told      | fourteen days, a thousand |
| `told:all`                     | the same, for whoever has subscribed        | the same, ten thousand    |
| `told:by-age:<channel id>`     | the pipeline ids of these, by age           | the same                  |
| `told:message:<channel>:<ts>`  | MessageAbout: of which build it tells       | ninety days               |
| `told:missed:<project>`        | the last twenty Missed: builds not read     | fourteen days             |
| `fence:news:<pipeline id>`     | whoever looks at it for its news            | the lease                 |
| `ended:<pipeline id>`          | Ended: its end, until it is judged          | a day                     |
| `pause:<far side>`             | it asked us to wait                         | as long as it asked       |
| `probe`                        | writing works                               | a minute                  |
| `budget:…`                     | turns taken, as the library `limits` counts | two windows               |
| `pace:<far side>`              | a Pace, and the line of who waits           | a day without a turn      |
| `turns:<far side>`             | when the newest turns were                  | ten minutes               |

What is known of a far side is known for each of our tokens there: of others than the default one with their mark.
Every key has an end in Redis itself, but for those of ENDLESS: what nobody comes back to is gone all the same.
"""

from datetime import datetime, timedelta

from bot.store.acted import Acted
from bot.store.agents import Agents
from bot.store.asked import AskedByAgents
from bot.store.attempts import Attempts
from bot.store.audit import Audit
from bot.store.awaited import Awaited
from bot.store.channels import Channels
from bot.store.claims import Claims
from bot.store.connection import Connection
from bot.store.deliveries import Deliveries
from bot.store.followed import FollowedHere
from bot.store.heard import Ends
from bot.store.hooks import Hooks
from bot.store.line import Line
from bot.store.locks import Locks
from bot.store.looks import Looks
from bot.store.lost import Losts
from bot.store.news import Newsroom
from bot.store.notices import Notices
from bot.store.occasions import Occasions
from bot.store.own import Own
from bot.store.past import Past
from bot.store.pending import Pendings
from bot.store.pulse import Vitals
from bot.store.questions import Questions
from bot.store.standing import Standing
from bot.store.subscriptions import Subscriptions
from bot.store.told import ReasonsTold
from bot.store.turns import Turns
from bot.store.unsaid import Unsaid
from bot.store.watches import Watches
from bot.store.windows import Windows

ENDLESS = frozenset(
    {"watching", "looks", "looks:had", "looks:woken"}
    | {"locks", "agents", "agents:tokens", "agents:used", "uses", "audit", "audit:refused", "subscriptions"}
    | {"subscriptions:projects", "subscriptions:channels", "subscriptions:places", "notices"}
)


class Store:
    """One connection, and an object for each subject; what they do raises StoreError when Redis does not answer."""

    def __init__(self, url: str, *, retention: timedelta, prefix: str = "ci:") -> None:
        self._connection = connection = Connection(url, retention=retention, prefix=prefix)
        self.deliveries = Deliveries(connection)
        self.questions = Questions(connection)
        self.audit = Audit(connection)
        self.awaited = Awaited(connection)
        self.claims = Claims(connection)
        self.locks = Locks(connection)
        self.channels = Channels(connection)
        self.own = Own(connection)
        self.attempts = Attempts(connection, self.own)
        self.lost = Losts(connection)
        self.pending = Pendings(connection, self.attempts)
        self.standing = Standing(connection)
        self.acted = Acted(connection)
        self.agents = Agents(connection)
        self.asked = AskedByAgents(connection)
        self.subscriptions = Subscriptions(connection)
        self.notices = Notices(connection)
        self.news = Newsroom(connection)
        self.occasions = Occasions(connection)
        self.told = ReasonsTold(connection)
        self.unsaid = Unsaid(connection)
        self.windows = Windows(connection)
        self.watches = Watches(connection, self.own)
        self.looks = Looks(connection)
        self.followed = FollowedHere(connection, self.watches)
        self.past = Past(connection)
        self.turns = Turns(connection)
        self.line = Line(connection)
        self.hooks = Hooks(connection)
        self.ends = Ends(connection)
        self.pulse = Vitals(connection, self.turns)

    async def now(self) -> datetime:
        """Return the time of the server: whatever the hosts' clocks say, all processes agree on it."""
        return await self._connection.now()

    async def probe(self) -> None:
        """Return when Redis has written something: a replica would answer, and take nothing."""
        await self._connection.probe()

    async def close(self) -> None:
        """Give the connections back."""
        await self._connection.redis.aclose()
