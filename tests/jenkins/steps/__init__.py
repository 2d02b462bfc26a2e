"""The steps of Jenkins that the runner knows: what each does, with its documented arguments."""

from __future__ import annotations

from tests.jenkins.steps import blocks, credentials, files, job, messages, people, publishers, scm, shell
from tests.jenkins.steps.step import Step

STEPS: dict[str, Step] = {
    each.name: each
    for module in (blocks, credentials, files, job, messages, people, publishers, scm, shell)
    for each in vars(module).values()
    if isinstance(each, Step)
}
