"""How right the verdicts are on histories made by chance: precision, recall and doubts of each kind."""

from collections import Counter

from bot.triage.diagnosis import diagnose
from bot.triage.verdicts import Kind
from tests.bench.histories import Case, cases
from tests.bench.stage import Figure

CERTAIN = (Kind.NEW, Kind.FLAKE, Kind.RED_ON_BASE, Kind.INFRASTRUCTURE)
PRECISION, DOUBTS = 0.95, 0.2


def verdicts(seed: int, many: int = 3000) -> list[Figure]:
    """Judge `many` failed builds and count, apart for those with thirty builds of history and those with less."""
    enough, little = Counter[tuple[Kind, Kind]](), Counter[tuple[Kind, Kind]]()
    for case in cases(seed, many):
        (enough if case.has_enough else little).update(_pairs(case))
    rows = [row for kind in CERTAIN for row in _rows(kind, enough, seed)]
    doubts = sum(times for (_, said), times in little.items() if said is Kind.NOT_SURE) / max(little.total(), 1)
    wrong = sum(times for (true, said), times in little.items() if said not in (true, Kind.NOT_SURE))
    told = f"{doubts:.0%} not sure, {1 - wrong / max(little.total(), 1):.0%} of {little.total()} right or not sure"
    return [*rows, Figure(f"verdicts with fewer than 5 builds, seed {seed}", told)]


def _pairs(case: Case) -> list[tuple[Kind, Kind]]:
    """Return what each failure was, and what it was called."""
    found = diagnose(case.build, case.report, case.looked)
    said = {**found.tests, **found.jobs}
    return [(true, said[name].kind if name in said else Kind.NOT_SURE) for name, true in case.truth.items()]


def _rows(kind: Kind, counted: Counter[tuple[Kind, Kind]], seed: int) -> list[Figure]:
    right = counted[kind, kind]
    said = sum(times for (_, verdict), times in counted.items() if verdict is kind)
    true = sum(times for (truth, _), times in counted.items() if truth is kind)
    precision, recall, doubts = right / max(said, 1), right / max(true, 1), counted[kind, Kind.NOT_SURE] / max(true, 1)
    told = f"precision {precision:.3f}, recall {recall:.3f}, not sure {doubts:.1%} of {true}"
    met = precision >= PRECISION and doubts < DOUBTS
    return [
        Figure(f"verdict {kind}, 30 builds of history, seed {seed}", told, "precision 0.95, not sure under 20 %", met)
    ]
