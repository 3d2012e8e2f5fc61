"""Sabotages of what keeps credentials out of events."""

from __future__ import annotations

from tests.sabotage.change import Change

GATE = "kioku/secrets/gate.py"
SCREENING = "kioku/secrets/screening.py"
CHANGE = "kioku/memory/change.py"
SCANNING = "kioku/memory/scanning.py"
# The copy that a mutant is tried in has no documents.
UNIT_TESTS = (
    "tests/unit/test_secrets.py --deselect"
    "=tests/unit/test_secrets.py::test_nothing_in_the_decisions_of_this_project_is_a_credential"
)
PROPERTY_TESTS = "tests/property/test_secrets.py"

SECRET_GROUPS: dict[str, list[Change]] = {
    "secrets": [
        Change(
            "the body is the one from before the screening",
            CHANGE,
            "        body = encode_fields(fields)\n    if not observation.id",
            "    if not observation.id",
            UNIT_TESTS,
        ),
        Change(
            "an edit is not screened",
            CHANGE,
            "    if must_screen(body, secrets):\n        edited",
            "    if False:\n        edited",
            UNIT_TESTS,
        ),
        Change(
            "the gate knows shorter runs for words",
            GATE,
            "RUN_MIN: Final = 20",
            "RUN_MIN: Final = 40",
            UNIT_TESTS,
        ),
        Change(
            "what stands side by side after a redaction is left",
            SCREENING,
            "PASSES_MAX: Final = 4",
            "PASSES_MAX: Final = 1",
            f"{UNIT_TESTS} {PROPERTY_TESTS}",
        ),
        Change(
            "the names of extra are not looked at",
            SCREENING,
            "self.nested(field, name): self.nested",
            "name: self.nested",
            UNIT_TESTS,
        ),
        Change(
            "private parts stay where credentials are allowed",
            GATE,
            '        return b"<" in body and _PRIVATE in body.lower()',
            "        return False",
            UNIT_TESTS,
        ),
        Change(
            "a redaction erases the last version alone",
            SCANNING,
            "for entry in holding]",
            "for entry in holding[:1]]",
            UNIT_TESTS,
        ),
        Change(
            "a tombstone is retracted and not said anew",
            SCANNING,
            "if counting[0] is holding[0]:",
            "if counting[0] is holding[0] and holding[0].kind == SAVE:",
            UNIT_TESTS,
        ),
        Change(
            "what another replaced is back once it is redacted",
            SCANNING,
            "*(Draft(SAVE, each.key, each.body) for each in hiding)",
            "*(Draft(SAVE, each.key, each.body) for each in hiding[:0])",
            UNIT_TESTS,
        ),
    ],
}
