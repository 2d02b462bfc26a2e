/*
 * jenkinsCdReports: show in Jenkins what jenkins-cd has found. A plugin that is missing costs its view, not the build.
 */

/** Publish the tests and the findings of a step of a plan, where it has written any. */
void step(Map step) {
    if (step.junit && fileExists(step.junit)) {
        optional('junit', 'the tests are in the report') {
            junit(testResults: step.junit, allowEmptyResults: true)
        }
    }
    if (step.findings && fileExists(step.findings)) {
        optional('recordIssues', 'the findings are in the report') {
            recordIssues(enabledForFailure: true, quiet: true,
                tools: [sarif(id: step.stage, name: step.stage, pattern: step.findings)])
        }
    }
}

/** Publish the page that tells everything, else archive it with what it was made of. */
void page(Map published) {
    if (!fileExists("${published.report}/index.html")) {
        return
    }
    boolean shown = optional('publishHTML', 'the page is among the archived artifacts') {
        publishHTML([reportDir: published.report, reportFiles: 'index.html', reportName: 'jenkins-cd',
            keepAll: true, alwaysLinkToLastBuild: true, allowMissing: false])
    }
    if (!shown) {
        archiveArtifacts(artifacts: published.archive, excludes: published.exclude, allowEmptyArchive: true)
    }
}

/** Run a body that needs a plugin's step. Returns false, and says so, where Jenkins does not have it. */
boolean optional(String name, String instead, Closure body) {
    try {
        body()
        return true
    } catch (NoSuchMethodError missing) {
        if (!missing.message?.startsWith('No such DSL method')) {
            throw missing
        }
        echo("jenkins-cd: this Jenkins has no step ${name}, its plugin is not installed; ${instead}")
        return false
    }
}
