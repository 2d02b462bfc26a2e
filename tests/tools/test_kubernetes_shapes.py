"""What an API server answers at odd paths, as a real one (1.33) does."""

from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.tools import answers
from jenkins_cd.tools import kubernetes_shapes as shapes

UNNAMED: dict[str, Any] = {"metadata": {"creationTimestamp": None}, "status": {"userInfo": {"username": "me"}}}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/apis", {"kind": "APIGroupList", "groups": [{"name": "apps", "versions": [{"groupVersion": "apps/v1"}]}]}),
        ("/api/v1", {"kind": "APIResourceList", "resources": [{"name": "pods", "kind": "Pod", "namespaced": True}]}),
        ("/apis/apps/v1", {"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}]}),
        ("/apis/authentication.k8s.io/v1/selfsubjectreviews", UNNAMED),
        ("/apis/authentication.k8s.io/v1/tokenreviews", UNNAMED),
        ("/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews", UNNAMED),
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"status": {"allowed": False}}),
    ],
)
def test_what_a_server_tells_of_itself_and_of_reviews_is_taken(path: str, answer: dict[str, Any]) -> None:
    assert answers.checked(answer, shapes.of_object(path)) == answer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/apis", {"resources": []}),
        ("/api/v1", {"groups": []}),
        ("/apis/authentication.k8s.io/v1/selfsubjectreviews", {"metadata": {}}),
        ("/api/v1/namespaces/shop/configmaps/web", UNNAMED),
    ],
)
def test_something_else_is_not(path: str, answer: dict[str, Any]) -> None:
    with pytest.raises(answers.Malformed):
        answers.checked(answer, shapes.of_object(path))
