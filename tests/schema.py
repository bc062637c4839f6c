"""Holds documents against docs/schema: ``check(document, "search")``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check(document: Any, name: str) -> None:
    """Fail with every fault, each with its path, where ``document`` does not follow ``docs/schema/<name>.json``.

    A document that JSON cannot carry (NaN, infinity, numpy numbers) fails too. A text is parsed first.
    """
    if isinstance(document, (str, bytes)):
        document = json.loads(document, parse_constant=_no_constant)
    else:
        document = json.loads(json.dumps(document, allow_nan=False))
    faults = [
        f"{'.'.join(map(str, e.absolute_path)) or 'document'}: {e.message[:300]}"
        for e in _validator(name).iter_errors(document)
    ]
    assert not faults, f"not what docs/schema/{name}.json says:\n" + "\n".join(faults)


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")
