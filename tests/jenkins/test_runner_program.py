"""The Groovy runs as in Jenkins: transformed, saved and restored at each step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jenkins.pipeline import NotJenkins
from tests.jenkins.runner import Known, Runner, said
from tests.jenkins.steps import STEPS
from tests.jenkins.steps.errors import UnknownStep, WrongArguments
from tests.jenkins.steps.step import Closure, Foreign


def test_a_script_calls_its_steps_in_order_and_vars_call_vars(runner: Runner) -> None:
    runner.library(
        outer="""
            def call(Map given = [:], Closure body = null) {
                echo "outer ${given.name} in ${env.PLACE}"
                def value = inner.twice(given.count ?: 1)
                body?.call()
                return value
            }
        """,
        inner="""
            int twice(int number) { echo 'inner'; number * 2 }
        """,
    )
    runner.write(
        "library/src/shop/Price.groovy", "package shop\nclass Price { def script; def say() { script.echo 'price' } }"
    )
    outcome = runner(
        """
        @Library('jenkins-cd@main') _

        def given = outer(name: 'a', count: 2) { echo 'body' }
        println "got ${given}"
        new shop.Price(script: this).say()
        stage('One') { steps.echo 'in a stage' }
        for (each in [x: 1, y: 2].entrySet()) { echo "${each.key}=${each.value} of ${[3, 4].collect { it * 10 }}" }
        ['p', 'q'].each { letter -> echo letter }
        def n = 0
        while (n < 2) { n++; if (n == 2) break }
        switch (n) { case 2: echo 'two'; break; default: echo 'other' }
        """,
        env={"PLACE": "here"},
    )
    assert outcome.result == "SUCCESS", outcome.log
    assert said(outcome) == [
        *("outer a in here", "inner", "body", "got 4", "price", "in a stage"),
        *("x=1 of [30, 40]", "y=2 of [30, 40]", "p", "q", "two"),
    ]
    assert [call.path for call in outcome.calls if call.arguments == {"message": "in a stage"}] == [("One",)]
    assert outcome.calls[0].interpolated == ("outer a in here",)


def test_what_cannot_be_saved_ends_the_run_at_the_next_step_and_no_script_can_catch_it(runner: Runner) -> None:
    outcome = runner(
        """
        @NonCPS
        String first(String text) { def matcher = text =~ /b+/; matcher.find() ? matcher.group() : '' }

        echo first('abba')
        def found = [list: [1, 'a' =~ /a/]]
        try {
            echo 'not reached'
        } catch (Throwable e) {
            echo 'caught'
        }
        """
    )
    assert (outcome.result, said(outcome)) == ("FAILURE", ["bb"])
    assert outcome.error == "java.io.NotSerializableException: java.util.regex.Matcher (found.list[1])"
    assert "WorkflowScript:8" in outcome.log


def test_an_entry_of_a_map_cannot_be_saved_unless_it_comes_from_entry_set(runner: Runner) -> None:
    outcome = runner("for (each in [x: 1]) { echo each.key }")
    assert outcome.error == "java.io.NotSerializableException: java.util.LinkedHashMap$Entry (each)"


@pytest.mark.parametrize(
    "script",
    [
        "class Shop implements Serializable { String toString() { 'shop' } }\necho \"a ${new Shop()}\"",
        "@NonCPS def pure() { impure() }\ndef impure() { 'x' }\necho pure()",
        'echo "${[2, 1].sort { a, b -> a <=> b }}"',
        "class Shop implements Serializable { def script; Shop(script) { script.echo 'built' } }\nnew Shop(this)",
    ],
    ids=["toString", "NonCPS", "sort", "constructor"],
)
def test_transformed_code_that_untransformed_code_calls_ends_the_run(runner: Runner, script: str) -> None:
    outcome = runner(f"{script}\ntry {{ echo 'on' }} catch (Throwable e) {{ echo 'caught' }}")
    assert outcome.result == "FAILURE"
    assert "but wound up catching" in outcome.error
    assert said(outcome) == []


def test_a_step_that_the_runner_does_not_know_cannot_be_caught(runner: Runner) -> None:
    with pytest.raises(UnknownStep, match="no step `emailext`"):
        runner("try { emailext subject: 'x' } catch (Throwable e) { echo 'caught' }")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("sh", [{"text": "x"}], "Unknown parameter.*text"),
        ("echo", [5], "message is 5"),
        ("sh", [{"returnStatus": True}], "script is missing"),
        ("sh", ["a", True], "Expected named arguments"),
        ("sh", [{"script": "a", "returnStatus": "yes"}], "returnStatus is 'yes'"),
        ("stage", ["x"], "must be called with a body"),
        ("timeout", [{"time": 1, "unit": "WEEKS"}, Closure(1)], "unit is 'WEEKS'"),
        ("echo", [Foreign("java.util.regex.Matcher")], "Matcher"),
        ("isUnix", ["x"], "takes no argument"),
    ],
)
def test_wrong_arguments_are_a_mistake(name: str, arguments: list[Any], message: str) -> None:
    with pytest.raises(WrongArguments, match=message):
        STEPS[name].bound(arguments)


def test_wrong_arguments_cannot_be_caught(runner: Runner) -> None:
    with pytest.raises(WrongArguments):
        runner("try { node { sh text: 'x' } } catch (Throwable e) { echo 'caught' }")


def test_a_step_whose_plugin_is_missing_is_told_as_jenkins_does_and_can_be_caught(runner: Runner) -> None:
    outcome = runner(
        """
        try {
            publishHTML([reportDir: 'x'])
        } catch (NoSuchMethodError e) {
            echo e.message
        }
        """,
        missing=frozenset({"publishHTML"}),
    )
    (message,) = said(outcome)
    assert message.startswith("No such DSL method 'publishHTML' found among steps [")
    assert "archiveArtifacts" in message
    assert outcome.called("publishHTML") == []


def test_exceptions_are_those_of_jenkins_and_pass_through_blocks_as_they_are(runner: Runner) -> None:
    outcome = runner(
        """
        class Sold extends Exception { int left = 3; Sold(String message) { super(message) } }

        try { stage('a') { throw new Sold('out') } } catch (Sold e) { echo "${e.message} ${e.left}" }
        try { error 'stop' } catch (hudson.AbortException e) { echo e.message }
        try { sh 'true' } catch (e) { echo "${e.class.simpleName}: ${e.message.readLines()[0]}" }
        try { libraryResource 'none' } catch (Exception e) { echo e.message } finally { echo 'finally' }
        try { parallel(a: { throw new Sold('a') }, b: { error 'b' }) } catch (e) { echo e.class.simpleName }
        def tried = 0
        retry(3) { tried++; if (tried < 3) { error 'again' } }
        echo "${tried}"
        throw new Sold('end')
        """
    )
    assert said(outcome) == [
        *("out 3", "stop", "MissingContextVariableException: Required context class hudson.FilePath is missing"),
        *("No such library resource none could be found.", "finally", "Sold", "3"),
    ]
    assert (outcome.result, outcome.error) == ("FAILURE", "Sold: end")


def test_a_script_that_does_not_compile_fails_with_the_compilers_words(runner: Runner) -> None:
    outcome = runner("echo 'a\n")
    assert outcome.result == "FAILURE"
    assert "MultipleCompilationErrorsException" in outcome.error
    assert "WorkflowScript: 1" in outcome.error


def test_what_the_sandbox_forbids_is_a_mistake(runner: Runner) -> None:
    with pytest.raises(NotJenkins, match="rawBuild"):
        runner("echo currentBuild.rawBuild.toString()", Known())
