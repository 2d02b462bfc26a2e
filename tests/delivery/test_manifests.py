from __future__ import annotations

import pytest

from jenkins_cd.delivery import manifests
from jenkins_cd.errors import BadInput


def test_what_a_chart_renders_is_read_as_kubernetes_reads_it() -> None:
    (found,) = manifests.objects("kind: ConfigMap\ndefaultMode: 0644\nday: 2024-01-02\n12: y\n")
    assert found == {"kind": "ConfigMap", "defaultMode": 0o644, "day": "2024-01-02", "12": True}


@pytest.mark.parametrize("text", ["kind: ConfigMap\n--- {kind: Secret}\n", "- a\n", "name: nobody\n", "{"])
def test_what_is_no_object_or_hides_another_one_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="the chart renders something that is no"):
        manifests.objects(text)


def test_empty_documents_and_comments_are_no_objects() -> None:
    assert manifests.objects("# nothing\n---\n\n---\nkind: Service\n---\nnull\n") == [{"kind": "Service"}]
