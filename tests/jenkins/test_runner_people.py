"""Questions, other builds, and what a build knows of itself."""

from __future__ import annotations

from tests.jenkins.pipeline import Downstream
from tests.jenkins.questions import Answer, Question, Rejected
from tests.jenkins.runner import Known, Runner, said


def test_a_question_gives_back_who_answered_and_what(runner: Runner) -> None:
    controller = Known(
        answers={
            "Promote": Answer(submitter="ann"),
            "Form": Answer(submitter="bob", values={"REASON": "why not"}),
            "96ecc9c05b43f3a08acf1c05be8e3e40": Answer(submitter="eve"),
            "Refused": Rejected("eve"),
        }
    )
    outcome = runner(
        """
        echo input(message: 'Promote?', id: 'promote', ok: 'Yes', submitter: 'ann, bob', submitterParameter: 'WHO')
        def form = input(message: 'Why?', id: 'form', submitterParameter: 'WHO', parameters: [
            string(name: 'REASON', defaultValue: ''), booleanParam(name: 'LOUD', defaultValue: true)
        ])
        echo "${form.REASON} ${form.LOUD} ${form.WHO}"
        try {
            input message: 'Sure?', id: 'refused'
        } catch (e) {
            echo "${e.message} ${e.causes[0].user}"
            throw e
        }
        """,
        controller,
    )
    assert said(outcome) == ["ann", "why not true bob", "Rejected by eve eve"]
    assert (outcome.result, outcome.error) == ("ABORTED", "Rejected by eve")
    assert controller.asked[0] == Question(id="Promote", message="Promote?", ok="Yes", submitters=("ann", "bob"))
    assert controller.asked[1].parameters == ("REASON", "LOUD")


def test_another_build_is_waited_for_and_its_result_becomes_ones_own(runner: Runner) -> None:
    controller = Known(
        builds={
            "shop/storefront/deploy": Downstream(
                job="shop/storefront/deploy", number=3, url="http://ci/3/", variables={"V": "1"}
            ),
            "shaky": Downstream(job="shaky", number=4, result="UNSTABLE"),
        }
    )
    outcome = runner(
        """
        def done = build job: 'deploy',
            parameters: [string(name: 'VERSION', value: '1.0'), booleanParam(name: 'DRY', value: true)]
        echo "${done.number} ${done.getResult()} ${done.absoluteUrl} ${done.buildVariables.V} ${done.fullDisplayName}"
        echo "${build(job: '/shaky', propagate: false).result} ${build(job: 'shaky', wait: false)}"
        catchError { build 'shaky' }
        echo currentBuild.result
        try { build 'none' } catch (e) { echo e.message }
        build 'shaky'
        """,
        controller,
    )
    assert said(outcome) == [
        *("3 SUCCESS http://ci/3/ 1 shop » storefront » deploy #3", "UNSTABLE null", "UNSTABLE"),
        "No item named none found",
    ]
    assert controller.started[0] == ("shop/storefront/deploy", {"VERSION": "1.0", "DRY": "true"}, True)
    assert outcome.result == "UNSTABLE"
    assert outcome.error == "shaky #4 completed with status UNSTABLE (propagate: false to ignore)"


def test_a_build_knows_itself_and_who_started_it(runner: Runner) -> None:
    outcome = runner(
        """
        currentBuild.displayName = "${currentBuild.displayName} of ${currentBuild.fullProjectName}"
        currentBuild.description = 'described'
        echo "${currentBuild.number} ${currentBuild.absoluteUrl} ${currentBuild.fullDisplayName}"
        echo currentBuild.description
        def user = currentBuild.getBuildCauses('hudson.model.Cause$UserIdCause')
        echo "${user.size()} ${user[0].userId} ${currentBuild.buildCauses.size()}"
        echo "${currentBuild.upstreamBuilds*.fullProjectName} ${currentBuild.previousBuild}"
        try { echo "${absent}" } catch (MissingPropertyException e) { echo e.message.readLines()[0] }
        """,
        env={"BUILD_URL": "http://ci/job/shop/7/"},
        causes=[
            {"_class": "hudson.model.Cause$UserIdCause", "shortDescription": "Started by ann", "userId": "ann"},
            {"_class": "hudson.model.Cause$UpstreamCause", "upstreamProject": "shop/up", "upstreamBuild": 2},
        ],
    )
    assert said(outcome) == [
        "7 http://ci/job/shop/7/ shop » storefront » main #7 of shop/storefront/main",
        "described",
        "1 ann 2",
        "[shop/up] null",
        "No such property: absent for class: WorkflowScript",
    ]
    assert (outcome.display_name, outcome.description) == ("#7 of shop/storefront/main", "described")


def test_reports_are_published_and_change_the_result(runner: Runner) -> None:
    runner.write("workspace/out/tests.xml", "<testsuite><testcase/><testcase><failure/></testcase></testsuite>")
    runner.write("workspace/out/lint.sarif", '{"runs": [{"results": [{}, {}]}]}')
    controller = Known()
    outcome = runner(
        """
        node {
            archiveArtifacts artifacts: 'out/**', excludes: '**/*.xml', allowEmptyArchive: true
            publishHTML([reportDir: 'out', reportFiles: 'index.html', reportName: 'Report', keepAll: true])
            recordIssues tools: [sarif(pattern: 'out/*.sarif', id: 'lint', name: 'Lint')], enabledForFailure: true,
                skipPublishingChecks: true, qualityGates: [[threshold: 3, type: 'TOTAL', unstable: true]]
            echo "${currentBuild.result}"
            def summary = junit testResults: 'out/*.xml', allowEmptyResults: true, skipPublishingChecks: true
            echo "${summary.totalCount} ${summary.failCount} ${currentBuild.result}"
            try { junit 'none/*.xml' } catch (e) { echo e.message }
            try { archiveArtifacts 'none' } catch (e) { echo e.message }
            publishHTML([reportDir: 'none', reportFiles: 'index.html', reportName: 'None'])
        }
        """,
        controller,
    )
    assert said(outcome) == [
        *("null", "2 1 UNSTABLE", "No test report files were found. Configuration error?"),
        'No artifacts found that match the file pattern "none". Configuration error?',
    ]
    assert outcome.result == "FAILURE"
    assert [kind for kind, _ in controller.publications] == ["archiveArtifacts", "publishHTML", "recordIssues", "junit"]
    assert controller.publications[0][1]["files"] == ["out/lint.sarif"]
