"""Blocks around steps: branches that run at once, limits of time, results, and what an abort ends."""

from __future__ import annotations

import threading

from tests import programs
from tests.jenkins.pipeline import Outcome
from tests.jenkins.runner import Known, Runner, said


def test_branches_run_at_once_and_each_sees_its_own_blocks(runner: Runner) -> None:
    outcome = runner(
        """
        node {
            def values = parallel(
                left: {
                    withEnv(['SIDE=l']) { sh 'touch left; while [ ! -e right ]; do sleep 0.02; done; echo $SIDE' }
                    1
                },
                right: {
                    stage('Right') { sh 'touch right; while [ ! -e left ]; do sleep 0.02; done; echo ${SIDE-r}' }
                    2
                }
            )
            echo "${values.left}${values.right}"
        }
        """
    )
    assert said(outcome) == ["12"], outcome.log
    assert {"l", "r"} <= set(outcome.log.splitlines())
    assert {call.path for call in outcome.called("sh")} == {("left",), ("right", "Right")}


def test_parallel_throws_the_first_failure_when_all_branches_have_ended(runner: Runner) -> None:
    outcome = runner(
        """
        node {
            try {
                parallel(
                    quick: { error 'quick' },
                    slow: { sh 'sleep 0.3'; echo 'slow ended'; error 'slow' }
                )
            } catch (e) { echo e.message }
            try {
                parallel(
                    broken: { sh 'while [ ! -e begun ]; do sleep 0.02; done; exit 3' },
                    endless: { try { sh 'touch begun; sleep 600' } finally { echo 'cleaned up' } },
                    failFast: true
                )
            } catch (e) { echo e.message }
        }
        """
    )
    assert said(outcome) == ["slow ended", "quick", "cleaned up", "script returned exit code 3"]
    assert "Failed in branch slow" in outcome.log


def test_a_time_limit_ends_the_step_inside_and_can_be_caught(runner: Runner) -> None:
    outcome = runner(
        """
        node {
            try {
                timeout(time: 200, unit: 'MILLISECONDS') { sh 'sleep 600 & echo $! > child; wait' }
            } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException e) {
                echo "${e.result} ${e.causes[0].shortDescription}"
            }
            timeout(5) { echo 'in time' }
            timeout(time: 100, unit: 'MILLISECONDS') { input 'Go on?' }
        }
        """
    )
    assert said(outcome) == ["ABORTED Timeout has been exceeded", "in time"]
    assert (outcome.result, outcome.error) == ("ABORTED", "Timeout has been exceeded")
    assert not programs.runs((runner.workspace / "child").read_text().strip())


def test_an_abort_ends_the_processes_of_every_branch_and_lets_the_script_clean_up(runner: Runner) -> None:
    aborted = threading.Event()
    both = runner.workspace / "both"

    def watch(line: str) -> None:
        if line == "both are there":
            aborted.set()

    outcome = runner(
        """
        node {
            try {
                parallel(
                    a: { sh 'sleep 600 & echo $! > a; wait' },
                    b: {
                        sh '''
                            while [ ! -s a ]; do sleep 0.02; done
                            trap 'exit 0' TERM
                            echo $$ > both
                            set +x
                            echo 'both are there'
                            sleep 600 & wait
                        '''
                    }
                )
            } finally {
                sh 'echo "cleaned up"'
            }
        }
        """,
        aborted=aborted,
        log=watch,
    )
    assert (outcome.result, outcome.error) == ("ABORTED", "Aborted by user")
    assert "cleaned up" in outcome.log.splitlines()
    for file in (runner.workspace / "a", both):
        assert not programs.runs(file.read_text().strip())


def test_an_abort_ends_leaves_first_and_who_waited_for_one_goes_on_meanwhile(runner: Runner) -> None:
    aborted = threading.Event()
    outcome = runner(
        "node { sh 'set +x; echo waiting; sleep 600 || true; echo on > went; sleep 600' }",
        aborted=aborted,
        log=lambda line: aborted.set() if line == "waiting" else None,
    )
    assert outcome.result == "ABORTED"
    assert (runner.workspace / "went").exists()


def test_a_node_within_a_node_has_another_workspace(runner: Runner) -> None:
    outcome = runner("node { echo pwd(); node { echo pwd(); node { echo pwd() } }; echo pwd() }\nnode { echo pwd() }")
    one = str(runner.workspace)
    assert said(outcome) == [one, f"{one}@2", f"{one}@3", one, one]


def test_what_a_shell_leaves_running_ends_with_its_node(runner: Runner) -> None:
    outcome = runner("node { sh 'setsid sleep 600 > /dev/null 2>&1 & echo $! > child' }")
    assert outcome.result == "SUCCESS"
    assert not programs.runs((runner.workspace / "child").read_text().strip())


def test_results_only_get_worse(runner: Runner) -> None:
    outcome = runner(
        """
        echo currentBuild.currentResult + ' ' + currentBuild.result
        unstable 'shaky'
        echo currentBuild.currentResult
        catchError(buildResult: 'SUCCESS', message: 'forgiven') { error 'nothing' }
        echo currentBuild.result
        catchError { error 'something' }
        warnError('only a warning') { error 'less' }
        currentBuild.result = 'UNSTABLE'
        echo "${currentBuild.result} ${currentBuild.resultIsWorseOrEqualTo('UNSTABLE')}"
        """
    )
    assert said(outcome) == ["SUCCESS null", "UNSTABLE", "UNSTABLE", "FAILURE true"]
    assert (outcome.result, outcome.error) == ("FAILURE", "")
    for line in ("WARNING: shaky", "ERROR: forgiven", "ERROR: nothing", "ERROR: something", "Finished: FAILURE"):
        assert line in outcome.log.splitlines()


def test_locks_and_other_blocks_are_left_whatever_happens_inside(runner: Runner) -> None:
    controller = Known()
    outcome = runner(
        """
        properties([disableConcurrentBuilds(), buildDiscarder(logRotator(numToKeepStr: '9')), parameters([
            string(name: 'VERSION', defaultValue: '1.0'), booleanParam(name: 'DRY', defaultValue: false),
            choice(name: 'TO', choices: ['staging', 'production'])
        ])])
        echo "${params.VERSION} ${params.DRY} ${params.TO} ${params.GIVEN}"
        timestamps { ansiColor('xterm') { lock('cluster') { milestone 1; sleep 0; echo 'locked' } } }
        try { lock(resource: 'other') { error 'inside' } } catch (e) { echo e.message }
        script { echo 'script' }
        """,
        controller,
        parameters={"GIVEN": "g", "TO": "production"},
    )
    assert said(outcome) == ["1.0 false production g", "locked", "inside", "script"]
    assert controller.locks == ["+cluster", "-cluster", "+other", "-other"]
    assert _names(outcome)[:3] == ["properties", "echo", "timestamps"]


def _names(outcome: Outcome) -> list[str]:
    return [call.name for call in outcome.calls]
