"""What coverage looks at by name is there: a test that was renamed would go unmeasured in silence."""

from pathlib import Path

from tests.conftest import COSTLY, MEASURED

ROOT = Path(__file__).parent.parent


def test_every_name_is_that_of_a_test() -> None:
    for name in sorted(one for one in MEASURED if one and not one.startswith("#")):
        file, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / file).read_text(), name
        assert name.startswith(COSTLY), f"{name} is measured anyway"
