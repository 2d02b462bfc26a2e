"""What the states of a release's objects mean: pure decisions, without a cluster and without waiting."""

from __future__ import annotations

import pytest

from jenkins_cd.cluster import live_images, pods, rollout, workloads
from jenkins_cd.cluster.rollout import Course, Verdict
from jenkins_cd.cluster.scene import Scene, said
from tests.delivery import states
from tests.delivery.states import Object, event, pod

DEPLOYMENT = states.wanted("Deployment")
NO_ROOM = "0/3 nodes are available: 3 Insufficient memory."
QUOTA = 'pods "shop-new-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'


def course(*wanted: Object, images: dict[str, str] | None = None) -> tuple[Course, list[str]]:
    told: list[str] = []
    return Course(wanted or (DEPLOYMENT,), images or {}, told.append), told


def after(scene: Scene, seconds: float, *wanted: Object) -> Verdict | None:
    """Return the verdict on states that have not changed for so long."""
    looking, _told = course(*wanted)
    first = looking.look(scene, 1000.0)
    return first or looking.look(scene, 1000.0 + seconds)


def reason(scene: Scene, seconds: float = 0.0, *wanted: Object) -> str:
    verdict = after(scene, seconds, *wanted)
    assert verdict is not None
    assert verdict.outcome == "failed"
    return verdict.reason


def test_a_deployment_is_up_when_all_pods_are_new_and_ready() -> None:
    looking, told = course()
    scene = Scene.of(
        [states.deployment(**states.up()), states.replica_set(), pod("a", ready=True), pod("b", ready=True)]
    )
    verdict = looking.look(scene, 1000.0)
    assert verdict is not None
    assert verdict.ready
    assert told[0] == "Deployment shop: 2 of 2 new pods ready"


def test_what_the_controller_has_not_seen_yet_is_no_success() -> None:
    stale = Scene.of([states.deployment(observed=1, **states.up()), states.replica_set(), pod(ready=True)])
    assert after(stale, 3600.0) is None
    assert workloads.assess(DEPLOYMENT, stale).text == "its controller has not seen it yet"


def test_a_count_that_is_known_before_its_pods_are_is_no_success() -> None:
    early = [states.deployment(**states.up()), states.replica_set(), pod("a", ready=True), pod("b")]
    assert after(Scene.of(early), 3600.0) is None


def test_what_is_not_there_yet_is_waited_for() -> None:
    assert after(Scene(), 3600.0) is None


def test_old_pods_that_are_still_there_are_waited_for() -> None:
    status = {**states.up(), "replicas": 3}
    scene = Scene.of([states.deployment(**status), states.replica_set(), pod(ready=True)])
    assert after(scene, 3600.0) is None
    assert workloads.assess(DEPLOYMENT, scene).text == "1 of 2 new pods ready, 1 old still there"


def test_an_old_pod_that_crashes_while_the_new_one_comes_says_nothing() -> None:
    old = [states.replica_set("shop-old", "6"), pod("shop-old-1", "shop-old", states.crashed(40))]
    assert after(states.coming(*old, pod()), 3600.0) is None


def test_a_deployment_without_replicas_is_up() -> None:
    verdict = after(Scene.of([states.deployment(size=0), states.replica_set()]), 0.0)
    assert verdict is not None
    assert verdict.ready


@pytest.mark.parametrize("cause", ["manifest unknown", "401 Unauthorized", "x/y:1: not found", "pull access denied"])
def test_an_image_that_is_not_there_is_given_up_at_once(cause: str) -> None:
    message = f'rpc error: code = Unknown desc = failed to pull and unpack image "x/y:1": {cause}'
    told = reason(states.coming(pod("p", "shop-new", states.waiting("ErrImagePull", message, image="x/y:1"))))
    assert told.startswith("Deployment shop: pod p: x/y:1 cannot be pulled: ")
    assert "rpc error" not in told


def test_a_registry_that_is_away_has_a_second_chance() -> None:
    message = (
        'Back-off pulling image "x/y:1": ErrImagePull: failed to do request: dial tcp 10.0.0.1:443: host not found'
    )
    ill = pod("p", "shop-new", states.waiting("ImagePullBackOff", message, image="x/y:1"))
    failed = 'Failed to pull image "x/y:1": dial tcp 10.0.0.1:443: host not found'
    assert after(states.coming(ill, event(ill, "Failed", failed)), 3600.0) is None
    told = reason(states.coming(ill, event(ill, "Failed", failed, count=2)))
    assert told.endswith("x/y:1 cannot be pulled: failed to do request: dial tcp 10.0.0.1:443: host not found")
    assert after(states.coming(ill), 30.0) is None
    assert "x/y:1" in reason(states.coming(ill), 61.0), "nobody tells how often it was tried"


def test_the_cause_is_taken_from_the_event_where_the_kubelet_keeps_it_there() -> None:
    ill = pod("p", "shop-new", states.waiting("ImagePullBackOff", 'Back-off pulling image "x/y:1"', image="x/y:1"))
    failed = event(ill, "Failed", 'Failed to pull image "x/y:1": manifest unknown')
    assert reason(states.coming(ill, failed)).endswith("cannot be pulled: manifest unknown")


def test_a_crash_loop_is_given_up_after_two_restarts() -> None:
    assert after(states.coming(pod("p", "shop-new", states.crashed(1))), 3600.0) is None
    told = reason(states.coming(pod("p", "shop-new", states.crashed(2))))
    assert told == "Deployment shop: pod p: app crashes again and again, last with exit code 3 (restarts: 2)"


def test_a_crash_for_want_of_memory_names_the_limit() -> None:
    told = reason(states.coming(pod("p", "shop-new", states.crashed(2, 137, "OOMKilled"))))
    assert "exit code 137, OOMKilled (restarts: 2): it takes more memory than its limit of 50Mi" in told


def test_restarts_of_a_pod_that_was_well_before_do_not_count() -> None:
    scene = states.coming(pod("p", "shop-new", states.container(ready=True, restartCount=9), ready=True))
    scene.remember_the_well()
    scene.put(pod("p", "shop-new", states.crashed(10)))
    assert after(scene, 3600.0) is None
    scene.put(pod("p", "shop-new", states.crashed(11)))
    assert "(restarts: 2)" in reason(scene)


def test_slow_is_not_failed() -> None:
    starting = pod("p", "shop-new", states.waiting("ContainerCreating"), phase="Pending")
    pulling = event(starting, "Pulling", 'Pulling image "x"', type_="Normal")
    running = pod("q")
    probe = event(running, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", count=500)
    assert after(states.coming(starting, pulling, running, probe), 3600.0) is None
    scene = states.coming(starting, pulling, running, probe)
    assert pods.phrase(starting, scene) == 'pulling image "x"'
    assert pods.phrase(running, scene).startswith("app runs, not ready: Readiness probe failed")


def test_no_node_that_fits_is_given_up_after_an_autoscaler_had_its_time() -> None:
    ill = states.unplaced(f"{NO_ROOM} preemption: 0/3 nodes are available: 3 No preemption victims found.")
    assert after(states.coming(ill), 15.0) is None
    assert reason(states.coming(ill), 21.0).endswith(f"no node takes it: {NO_ROOM}")
    assert NO_ROOM in reason(states.coming(ill, event(ill, "NotTriggerScaleUp", "max node group size reached")), 6.0)


@pytest.mark.parametrize("promise", ["TriggeredScaleUp", "Nominated"])
def test_a_node_that_is_on_its_way_is_waited_for(promise: str) -> None:
    ill = states.unplaced(NO_ROOM)
    assert after(states.coming(ill, event(ill, promise, "a node comes")), 3600.0) is None


def test_room_that_is_made_by_old_pods_is_waited_for() -> None:
    assert after(states.coming(states.unplaced(NO_ROOM), pod("old", "shop-old", going=True)), 3600.0) is None


def test_a_volume_that_is_being_made_is_waited_for() -> None:
    ill = states.unplaced("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    assert after(states.coming(ill), 3600.0) is None


def test_a_secret_that_is_missing_has_a_moment_to_come() -> None:
    scene = states.coming(pod("p", "shop-new", states.waiting("CreateContainerConfigError", 'secret "s" not found')))
    assert after(scene, 15.0) is None
    assert 'app cannot be created (CreateContainerConfigError): secret "s" not found' in reason(scene, 21.0)


def test_a_volume_that_cannot_be_mounted_is_told() -> None:
    ill = pod("p", "shop-new", states.waiting("ContainerCreating"), phase="Pending")
    missing = event(ill, "FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "c" not found', second=3)
    assert 'configmap "c" not found' in reason(states.coming(ill, missing), 31.0)
    pulled = event(ill, "Pulled", "there", second=4, type_="Normal")
    assert after(states.coming(ill, missing, pulled), 3600.0) is None


def quota(*more: Object) -> Scene:
    failure = states.conditions(ReplicaFailure=("True", "FailedCreate", QUOTA))
    return Scene.of([states.deployment(), states.replica_set(conditions=failure), *more])


def test_a_quota_that_is_used_up_is_given_up_in_seconds() -> None:
    assert after(quota(), 5.0) is None
    told = reason(quota(), 11.0)
    assert told.startswith("Deployment shop: its pods cannot be created: pods is forbidden: exceeded quota: q")
    assert "0 of 2 new pods ready" in told


def test_a_quota_in_which_old_pods_make_room_is_waited_for() -> None:
    leaving = pod("old", "shop-old", going=True)
    scene = quota(leaving)
    assert after(scene, 3600.0) is None
    scene.drop(leaving)
    assert after(scene, 30.0) is None, "the controller tries again at growing distances"
    assert "exceeded quota" in reason(scene, 46.0)


def test_pods_that_policy_forbids_are_given_up_at_once() -> None:
    message = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
    failure = states.conditions(ReplicaFailure=("True", "FailedCreate", message))
    assert "violates PodSecurity" in reason(Scene.of([states.deployment(), states.replica_set(conditions=failure)]))


def test_a_deadline_that_was_missed_says_how_its_pods_are() -> None:
    over = states.conditions(Progressing=("False", "ProgressDeadlineExceeded", "timed out"))
    running = pod("p")
    probe = event(running, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    scene = states.coming(running, probe, conditions=over)
    assert after(scene, 2.0) is None, "it may be that of the release before"
    told = reason(scene, 6.0)
    assert told.startswith("Deployment shop made no progress for 600 s (0 of 2 new pods ready, ")
    assert "pod p: app runs, not ready: Readiness probe failed" in told


def test_a_paused_deployment_is_told_at_once() -> None:
    assert "is paused" in reason(Scene.of([states.deployment(spec={"paused": True}), states.replica_set()]))


def test_trouble_that_ends_is_forgotten() -> None:
    looking, _ = course()
    ill, well = states.coming(states.unplaced(NO_ROOM)), states.coming(pod())
    for scene, now in ((ill, 0.0), (ill, 15.0), (well, 16.0), (ill, 17.0), (ill, 36.0)):
        assert looking.look(scene, now) is None
    assert looking.look(ill, 38.0) is not None


def test_each_change_is_told_once() -> None:
    looking, told = course()
    for now in (0.0, 1.0, 2.0):
        looking.look(states.coming(states.unplaced(NO_ROOM)), now)
    looking.look(states.coming(pod()), 3.0)
    assert told == [
        "Deployment shop: 0 of 2 new pods ready, 1 old still there",
        f"pod shop-new-1: no node takes it yet: {NO_ROOM}",
        "pod shop-new-1: unless that ends within 20 s, it is taken for failed",
        "pod shop-new-1: app runs, not ready",
    ]


def test_time_that_is_up_says_what_is_missing() -> None:
    looking, _ = course()
    verdict = looking.late(states.coming(pod("p")))
    assert verdict.outcome == "late"
    assert "Deployment shop: 0 of 2 new pods ready, 1 old still there, pod p: app runs, not ready" in verdict.reason


def test_a_stateful_set_is_up_when_every_pod_is_of_its_new_revision() -> None:
    new, old = ({"controller-revision-hash": revision} for revision in ("r2", "r1"))
    both = [pod("shop-0", "shop", ready=True, labels=old), pod("shop-1", "shop", ready=True, labels=new)]
    wanted = states.wanted("StatefulSet")
    half: Object = {
        "replicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "updatedReplicas": 1,
        "updateRevision": "r2",
    }
    scene = Scene.of([states.workload("StatefulSet", {"replicas": 2}, **half), *both])
    assert after(scene, 3600.0, wanted) is None
    assert workloads.assess(wanted, scene).text == "1 of 2 new pods ready, 1 old still there"
    scene.put(states.workload("StatefulSet", {"replicas": 2}, **{**half, "updatedReplicas": 2}))
    scene.put(pod("shop-0", "shop", ready=True, labels=new))
    assert (verdict := after(scene, 0.0, wanted)) is not None
    assert verdict.ready
    partition = {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
    assert (verdict := after(Scene.of([states.workload("StatefulSet", partition, **half), *both]), 0.0, wanted))
    assert verdict.ready


def test_a_stateful_set_that_a_broken_old_pod_holds_up_says_what_to_do() -> None:
    ill = pod("shop-0", "shop", states.crashed(9), labels={"controller-revision-hash": "r1"})
    status: Object = {"replicas": 1, "updatedReplicas": 0, "updateRevision": "r2"}
    scene = Scene.of([states.workload("StatefulSet", {"replicas": 1}, **status), ill])
    assert after(scene, 10.0, states.wanted("StatefulSet")) is None
    assert reason(scene, 21.0, states.wanted("StatefulSet")).endswith("delete the pod shop-0")


def test_events_tell_that_a_stateful_set_gets_no_pods() -> None:
    short = states.workload("StatefulSet", {"replicas": 1}, replicas=0, updateRevision="r2")
    failed = event(short, "FailedCreate", f"create Pod shop-0 in StatefulSet shop failed error: {QUOTA}", second=5)
    assert "exceeded quota" in reason(Scene.of([short, failed]), 11.0, states.wanted("StatefulSet"))
    made = event(short, "SuccessfulCreate", "create Pod shop-0 in StatefulSet shop successful", second=6)
    assert after(Scene.of([short, failed, made]), 3600.0, states.wanted("StatefulSet")) is None


def test_a_daemon_set_is_up_when_every_node_has_its_new_pod() -> None:
    status: Object = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2}
    new = [pod(f"shop-{n}", "shop", ready=True, labels={"pod-template-generation": "4"}) for n in (1, 3)]
    old = pod("shop-2", "shop", states.crashed(9), labels={"pod-template-generation": "3"})
    scene = Scene.of([states.workload("DaemonSet", **status), *new, old])
    assert after(scene, 3600.0, states.wanted("DaemonSet")) is None
    scene.put(states.workload("DaemonSet", **{**status, "updatedNumberScheduled": 2}))
    assert (verdict := after(scene, 0.0, states.wanted("DaemonSet"))) is not None
    assert verdict.ready


def job(**status: object) -> Object:
    return {**states.workload("Job", {"backoffLimit": 2}), "status": status}


def test_a_job_may_fail_as_often_as_it_says() -> None:
    crash = pod("shop-1", "shop", states.container(states.ended(4)), phase="Failed")
    scene = Scene.of([job(failed=1, active=1), crash, pod("shop-2", "shop", states.crashed(7))])
    assert after(scene, 3600.0, states.wanted("Job")) is None
    assert workloads.assess(states.wanted("Job"), scene).text == "runs, failed attempts: 1 (of 3)"
    scene.put(job(conditions=states.conditions(Failed=("True", "BackoffLimitExceeded", "Job has reached its limit"))))
    told = reason(scene, 0.0, states.wanted("Job"))
    assert told == "Job shop failed: Job has reached its limit; app ended with exit code 4"


def test_a_job_that_has_ended_well_may_be_removed() -> None:
    looking, _ = course(states.wanted("Job"), DEPLOYMENT)
    scene = states.coming(job(conditions=states.conditions(Complete="True")))
    assert looking.look(scene, 0.0) is None
    scene = Scene.of([states.deployment(size=1, **states.up(1)), states.replica_set(), pod(ready=True)])
    assert (verdict := looking.look(scene, 1.0)) is not None
    assert verdict.ready


def test_a_claim_that_gets_no_volume_is_told_and_one_that_waits_for_its_pod_is_not() -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": states.meta("data"), "status": {"phase": "Pending"}}
    wanted = states.wanted("PersistentVolumeClaim", "data")
    failed = event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    told = reason(Scene.of([claim, failed]), 21.0, wanted)
    assert told == 'PersistentVolumeClaim data gets no volume: storageclass.storage.k8s.io "fast" not found'
    waits = event(claim, "WaitForFirstConsumer", "waiting for first consumer", type_="Normal")
    assert (verdict := after(Scene.of([claim, waits]), 0.0, wanted)) is not None
    assert verdict.ready


def test_only_services_with_a_load_balancer_come_up_by_and_by() -> None:
    assert not workloads.followed(states.wanted("Service", type="ClusterIP"))
    assert not workloads.followed(states.wanted("ConfigMap"))
    balanced = states.wanted("Service", type="LoadBalancer")
    assert workloads.followed(balanced)
    live = {"kind": "Service", "metadata": states.meta("shop"), "spec": {"type": "LoadBalancer"}}
    assert after(Scene.of([live]), 3600.0, balanced) is None
    given = {**live, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    assert (verdict := after(Scene.of([given]), 0.0, balanced)) is not None
    assert verdict.ready


def test_up_is_not_good_where_another_image_runs() -> None:
    other = pod("p", "shop-new", states.container(ready=True, image=states.OLD), ready=True)
    told = reason(Scene.of([states.deployment(size=1, **states.up(1)), states.replica_set(), other]))
    assert f"app of pod p runs sha256:{'a' * 64}, not sha256:{'b' * 64}" in told


@pytest.mark.parametrize(
    ("manifest", "live", "image_id", "images", "fine"),
    [
        ("r/shop:1", "r/shop:1", "r/shop@sha256:b", {"r/shop": "sha256:b"}, True),
        ("r/shop:1", "r/shop:1", "r/shop@sha256:a", {"r/shop": "sha256:b"}, False),
        (
            "r:5000/shop:1",
            "r:5000/shop:1",
            "docker-pullable://r:5000/shop@sha256:a",
            {"r:5000/shop": "sha256:b"},
            False,
        ),
        ("r/shop:1", "mirror/r/shop:1", "mirror/r/shop@sha256:b", {"r/shop": "sha256:b"}, True),
        ("r/shop:1", "r/shop:1", "sha256:c", {"r/shop": "sha256:b"}, False),
        ("r/shop@sha256:b", "r/shop@sha256:b", "docker://sha256:c", {}, True),
        ("r/other:1", "r/other:1", "r/other@sha256:a", {"r/shop": "sha256:b"}, True),
        ("r/other:1", "r/other:2", "r/other@sha256:a", {}, False),
    ],
)
def test_images_are_compared_by_digest(
    manifest: str, live: str, image_id: str, images: dict[str, str], fine: bool
) -> None:
    runs = pod("p", "shop-new", {**states.container(ready=True, image=live), "imageID": image_id}, ready=True)
    scene = Scene.of([states.deployment(size=1, **states.up(1)), states.replica_set(), runs])
    wanted = states.wanted("Deployment", template=states.template(manifest))
    assert (live_images.differences([(wanted, workloads.assess(wanted, scene))], images) == []) is fine


def test_containers_that_others_put_into_a_pod_are_not_compared() -> None:
    proxy = {**states.container(ready=True, image="mesh/proxy:9"), "name": "proxy"}
    runs = pod("p", "shop-new", states.container(ready=True), proxy, ready=True)
    scene = Scene.of([states.deployment(size=1, **states.up(1)), states.replica_set(), runs])
    assert live_images.differences([(DEPLOYMENT, workloads.assess(DEPLOYMENT, scene))], {}) == []


def test_what_a_server_says_becomes_one_safe_line() -> None:
    told = said(
        "a\nb\x1b[31m (combined from similar events): pod=x_ns(ed3d1dd7-80d5-4583-8748-425fde850c03) " + "y" * 999
    )
    assert told.startswith("a b pod=x yyy")
    assert len(told) < 610


def test_an_object_of_that_name_that_took_the_place_of_another_stays() -> None:
    scene = Scene.of([pod("p")])
    scene.drop({**pod("p"), "metadata": {"name": "p", "uid": "another"}})
    assert scene.get("Pod", "p") is not None


def test_only_kinds_that_matter_are_read() -> None:
    assert rollout.kinds_of([DEPLOYMENT]) == {"Deployment", "ReplicaSet", "Pod", "Event"}
    assert rollout.kinds_of([states.wanted("Job")]) == {"Job", "Pod", "Event"}
