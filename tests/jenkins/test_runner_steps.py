"""Steps that work on an agent: real processes, real files, environments as Jenkins makes them."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from tests.jenkins.pipeline import Scm, SecretFile, SecretText, SshKey, UsernamePassword
from tests.jenkins.runner import Known, Runner, said
from tests.jenkins.steps.environment import Layer, masked, overridden
from tests.jenkins.steps.files import matching


def test_sh_is_a_real_process_run_as_jenkins_runs_it(runner: Runner) -> None:
    outcome = runner(
        """
        node('linux') {
            echo sh(script: 'pwd; echo errors >&2', returnStdout: true).trim()
            echo "${sh(script: 'exit 3', returnStatus: true)}"
            try { sh 'false; echo not reached' } catch (hudson.AbortException e) { echo e.message }
            sh '''#!/usr/bin/env bash
                false
                [[ -n $BASH_VERSION ]] && echo "a script of its own"
            '''
            dir('deep/down') { sh(script: 'touch here', label: 'Touch') }
            echo "${isUnix()} ${fileExists('deep/down/here')} ${pwd() == WORKSPACE} ${env.NODE_NAME}"
            sh 'kill -9 $$'
        }
        """
    )
    assert said(outcome) == [str(runner.workspace), "3", "script returned exit code 1", "true true true linux"]
    assert outcome.error == "script returned exit code 137"
    for line in ("+ pwd", "errors", "+ false", "a script of its own", "+ touch here"):
        assert line in outcome.log.splitlines()
    assert "not reached" not in outcome.log.splitlines()
    assert list((runner.folder / "workspace@tmp").iterdir()) == []


def test_environment_values_reach_the_process_unchanged_and_an_empty_one_removes_the_variable(runner: Runner) -> None:
    odd = "a $HOME ${HOME} $$ $UNKNOWN \"q\" 'q' \\\\ \n newline"
    outcome = runner(
        """
        node {
            withEnv(["ODD=${params.odd}", 'GONE=', 'PATH+MORE=/more/bin', 'OUTER=1']) {
                env.OUTER = 'written'
                env.KEPT = 'kept'
                withEnv(['INNER=in']) {
                    writeFile file: 'odd', text: sh(script: 'printf %s "$ODD"', returnStdout: true)
                    sh 'echo "<${GONE-unset}> <${PATH%%:*}> <$OUTER> <$INNER> <$flag> <$FROM_BUILD>"'
                }
                echo "${env.ODD == params.odd} ${env.GONE} ${env.INNER} ${env['OUTER']}"
            }
            echo "${env.OUTER} ${KEPT} ${env.NONE} ${params.flag} ${flag}"
        }
        """,
        env={"GONE": "there", "FROM_BUILD": "b"},
        parameters={"odd": odd, "flag": True},
    )
    assert "<unset> </more/bin> <1> <in> <true> <b>" in outcome.log.splitlines()
    assert (runner.workspace / "odd").read_text() == odd
    assert said(outcome) == ["true null null 1", "written kept null true true"]
    call = outcome.called("sh")[-1]
    assert call.env == {"ODD": odd, "PATH": "/more/bin", "OUTER": "1", "INNER": "in"}


def test_overrides_are_put_on_each_other_from_the_outermost() -> None:
    layers = [Layer(values={"A": "1", "B": ""}), Layer(values={"A": "$A"}), Layer(values={"P+X": "x", "Q+": "q"})]
    assert overridden({"B": "b", "P": "p"}, layers) == {"A": "$A", "P": "x:p", "Q": "q"}


def test_files_are_written_read_and_stashed(runner: Runner) -> None:
    content = bytes(range(256))
    runner.write("library/resources/shop/text.txt", "ein Text: ä\n")
    runner.write("library/resources/shop/bytes.bin", content)
    outcome = runner(
        """
        echo libraryResource('shop/text.txt').trim()
        node {
            writeFile file: 'new/bytes.bin', text: libraryResource(resource: 'shop/bytes.bin', encoding: 'Base64'),
                encoding: 'Base64'
            echo readFile(file: 'new/bytes.bin', encoding: 'Base64')
            stash name: 'all', includes: 'new/**'
            dir('new') { deleteDir() }
            echo "${fileExists('new')}"
            dir('elsewhere') { unstash 'all' }
            try { readFile 'none' } catch (java.nio.file.NoSuchFileException e) { echo 'no such file' }
            ws('other') { echo pwd().tokenize('/').last() }
        }
        """
    )
    assert said(outcome) == ["ein Text: ä", base64.b64encode(content).decode(), "false", "no such file", "other"]
    assert (runner.workspace / "elsewhere/new/bytes.bin").read_bytes() == content


def test_credentials_are_there_inside_the_block_only_and_are_no_part_of_any_argument(runner: Runner) -> None:
    controller = Known(
        credentials={
            "registry": UsernamePassword(username="ann", password="pa$s w'rd"),
            "token": SecretText("tok-123"),
            "config": SecretFile(name="kube.yaml", content=b"kind: Config\n"),
            "deploy": SshKey(username="git", key="KEY\n", passphrase="words"),
        }
    )
    outcome = runner(
        """
        node {
            withCredentials([
                usernamePassword(credentialsId: 'registry', usernameVariable: 'U', passwordVariable: 'P'),
                string(credentialsId: 'token', variable: 'T'),
                file(credentialsId: 'config', variable: 'F'),
                sshUserPrivateKey(credentialsId: 'deploy', keyFileVariable: 'K', usernameVariable: 'KU')
            ]) {
                sh '''
                    set +x
                    echo "<$U> <$P> <$T> <$(cat "$F")> <$(cat "$K")> <$KU>"
                    stat -c %a "$F"
                    echo "$F $K" > files
                '''
            }
            sh 'for file in $(cat files); do [ ! -e "$file" ] || exit 5; done; echo "after <${P-unset}>"'
        }
        try { withCredentials([string(credentialsId: 'none', variable: 'N')]) { } } catch (e) { echo e.message }
        try { withCredentials([string(credentialsId: 'registry', variable: 'N')]) { } } catch (e) { echo e.message }
        """,
        controller,
    )
    assert outcome.result == "SUCCESS", outcome.log
    assert "<ann> <pa$s w'rd> <tok-123> <kind: Config> <KEY> <git>" in outcome.log.splitlines()
    assert {"400", "after <unset>"} <= set(outcome.log.splitlines())
    assert "<ann> <****> <****> <kind: Config> <KEY> <git>" in outcome.masked_log.splitlines()
    assert said(outcome) == [
        "Could not find credentials entry with ID 'none'",
        "Credentials 'registry' is of type 'UsernamePassword' where 'SecretText' was expected",
    ]
    inside, after = outcome.called("sh")
    assert (inside.secrets, after.secrets) == (frozenset({"U", "P", "T", "F", "K", "KU"}), frozenset())
    assert inside.env["T"] == "tok-123"


def test_the_log_hides_each_line_of_a_secret_and_the_longest_first() -> None:
    assert masked("key: ab\nabc and xyz", ["ab", "abc\nxyz", ""]) == "key: ****\n**** and ****"


def test_checkout_is_a_detached_commit_without_other_tags(runner: Runner) -> None:
    origin = _repository(runner.folder / "origin")
    script = """
        node {
            def scmVars = checkout scm
            echo "${scmVars.GIT_BRANCH} ${scmVars.GIT_COMMIT.size()} ${readFile('file').trim()}"
            echo sh(script: 'git tag; git rev-parse --abbrev-ref HEAD', returnStdout: true).trim()
        }
    """
    branch = runner(script, scm=Scm(url=str(origin), ref="main"))
    tag = runner(script, scm=Scm(url=str(origin), ref="v1.0.0"))
    assert said(branch) == ["main 40 two", "HEAD"]
    assert said(tag) == ["v1.0.0 40 one", "v1.0.0\nHEAD"]


@pytest.mark.parametrize(
    ("includes", "chosen"),
    [
        ("**", ["a.xml", "b/c.xml", "b/d/e.txt"]),
        ("*.xml", ["a.xml"]),
        ("**/*.xml", ["a.xml", "b/c.xml"]),
        ("b/", ["b/c.xml", "b/d/e.txt"]),
        ("b/*.xml, **/e.*", ["b/c.xml", "b/d/e.txt"]),
        ("b/**/e.txt", ["b/d/e.txt"]),
    ],
)
def test_patterns_are_those_of_ant(tmp_path: Path, includes: str, chosen: list[str]) -> None:
    for name in ("a.xml", "b/c.xml", "b/d/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(each) for each in matching(tmp_path, includes)] == chosen


def _repository(folder: Path) -> Path:
    """Return a repository whose branch main has two commits; the first is v1.0.0."""
    folder.mkdir()
    for number, text in enumerate(("one", "two")):
        (folder / "file").write_text(text)
        commands = [["init", "--quiet"], ["add", "file"], ["commit", "--quiet", "-m", text]]
        for command in commands[number:]:
            subprocess.run(["git", *command], cwd=folder, check=True)
        if text == "one":
            subprocess.run(["git", "tag", "v1.0.0"], cwd=folder, check=True)
    return folder
