"""Text is masked before it is cut: half a secret is not found. Whoever cuts text goes through `masking.excerpt`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import jenkins_cd

PACKAGE = Path(jenkins_cd.__file__).parent
SHORT = 24  # characters: of commits and digests less is shown, and no secret is half so long
MASKING = frozenset({"mask", "masked", "_masked", "clean", "hidden", "excerpt", "last_lines"})
CUTS = {  # what is cut and is no text, or is a name, or was masked as a whole before
    "argocd/differences.py": {"found[:EACH]"},
    "argocd/evidence.py": {
        "list(found.values())[:ABOUT]",
        "[f'  {line}' for line in event_lines(_telling(evidence), _event_text)][-_EVENTS:]",
    },
    "argocd/narration.py": {"same[:EACH]"},
    "argocd/pod_evidence.py": {"found[:PODS]"},
    "cluster/evidence.py": {
        "list(found.values())[:PODS]",
        "lines[-EVENTS:]",
        "(unready or young[:1])[:PODS]",
    },
    "cluster/rollout.py": {"sorted(apart, key=name)[:SHOWN]"},
    "delivery/release_owner.py": {"re.sub('[^A-Za-z0-9._-]', '_', text)[:63]"},
    "drift/live.py": {"str(manifest['metadata']['name'])[:40]"},
    "findings/place.py": {
        "hashlib.sha256('\\x00'.join((*identity, str(seen[identity]))).encode()).hexdigest()[:32]",
        "_clean(line)[:LONGEST]",
    },
    "jobs/plan.py": {"apps[:APPS_SHOWN]"},
    "masking_log.py": {"held[max(end - _TAIL, 0):end]", "around[:REACH]", "around[REACH:]"},  # to see whether it may be
    "report/console.py": {"lines[:EVIDENCE]"},
    "report/html.py": {
        "sorted(findings, key=lambda one: (_LEVELS[one.level], one.file, one.line))[:FINDINGS]",
        "re.sub('[^A-Za-z0-9.-]+', '_', deployment.id)[:80]",
    },
    "requester.py": {"value[:100]"},
    "stages/checks.py": {"shown[:SHOWN]"},
    "stages/commands.py": {"done.stderr[:1000]"},
    "suggest.py": {"name[:100]"},
}


def masks(node: ast.AST) -> bool:
    """Tell whether an expression is made of masked text: one of MASKING stands innermost."""
    while True:
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in MASKING:
                return True
            if name in ("split_lines", "join"):
                node = node.args[0]
            else:
                node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        elif isinstance(node, ast.Subscript | ast.Attribute):
            node = node.value
        else:
            return False


def limit(bound: ast.expr | None) -> bool:
    """Tell whether a bound is one that shortens text: a large number, or a constant."""
    if isinstance(bound, ast.UnaryOp):
        bound = bound.operand
    if isinstance(bound, ast.Constant):
        return isinstance(bound.value, int) and bound.value > SHORT
    return isinstance(bound, ast.Name | ast.Attribute) and ast.unparse(bound).rpartition(".")[2].strip("_").isupper()


def of_lines(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("split_lines")


def cuts(tree: ast.AST) -> Iterator[ast.Subscript]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            bounded = limit(node.slice.lower) or limit(node.slice.upper)
            if (bounded or of_lines(node.value)) and not masks(node.value):
                yield node


def found(source: str) -> list[str]:
    return [ast.unparse(node) for node in cuts(ast.parse(source))]


def test_text_is_cut_after_it_was_masked_or_not_at_all() -> None:
    unknown = {}
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        if more := set(found(file.read_text(encoding="utf-8"))) - CUTS.get(name, set()):
            unknown[name] = more
    assert not unknown, "use masking.excerpt, or say in CUTS why it may be cut"


@pytest.mark.parametrize(
    "source",
    [
        "mask(words[:200])",
        "mask(answer.text[:300]).strip()",
        "f'{line[:200]!r} is no report'",
        "f'{str(item)[:60]}'",
        "split_lines(text)[-5:]",
        "split_lines(done.output.strip())[:8]",
        "said[-LONGEST:]",
        "body[:health.KEPT]",
        "text[100:]",
    ],
)
def test_a_cut_of_foreign_text_is_found(source: str) -> None:
    assert len(found(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "commit[:12]",
        "' '.join(mask(text).split())[:300]",
        "mask(words)[:200]",
        "split_lines(mask(text).strip())[-5:]",
        "items[1:]",
        "clean(text)[:LONGEST]",
    ],
)
def test_what_is_masked_before_or_short_may_be_cut(source: str) -> None:
    assert found(source) == []
