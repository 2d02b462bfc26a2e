/*
 * ciPipeline: from a commit to a release, and through every automatic environment.
 *
 *     @Library('jenkins-cd') _
 *     ciPipeline()
 *
 * Which stages there are, what waits for what, and who gets which credentials is told by `jenkins-cd ci --plan`.
 */

def call(Map options = [:]) {
    Map given = jenkinsCd.options('ciPipeline', options, jenkinsCd.places() + [
        directory: '',    // the app's folder in the checkout
        version  : '',    // the release's version; from Git where empty
        checkout : true,  // check out first
        deliver  : true,  // bring a release to the automatic environments
        unstable : [],    // checks that make the build UNSTABLE where they fail, besides the platform file's
        timeout  : 120,   // minutes, for all that runs on the agent
    ])
    jenkinsCd.described {
        release(given)
    }
}

void release(Map given) {
    Map plan = null
    jenkinsCd.inWorkspace(given) {
        if (given.checkout) {
            stage('Checkout') {
                given.branch = checkout(scm)?.GIT_BRANCH
            }
        }
        dir(given.directory ?: '.') {
            jenkinsCd.within(given) {
                plan = check(given)
            }
        }
    }
    if (given.deliver && plan.delivery && currentBuild.currentResult == 'SUCCESS') {
        deliver(plan)
    }
}

/** Run all stages, those at once that do not wait for one another. Returns the plan; a failure is the build's error. */
Map check(Map given) {
    Map plan = null
    stage('Plan') {
        plan = jenkinsCd.plan('ci --plan', given.version ? ['--version', given.version] : [], given)
        currentBuild.displayName = "#${currentBuild.number} ${plan.app} ${plan.version}"
        if (plan.unreleased) {
            echo("Nothing will be published: ${plan.unreleased}")
        }
    }
    Map run = [ended: [:], failures: [], unstable: given.unstable]
    try {
        jenkinsCd.planned(plan) {
            for (List wave in waves(plan.steps)) {
                together(wave, run)
            }
        }
    } finally {
        jenkinsCdReports.page(plan.published)
    }
    if (run.failures) {
        error(run.failures.join('\n'))
    }
    return plan
}

void together(List steps, Map run) {
    if (steps.size() == 1) {
        one(steps[0], run)
        return
    }
    Map branches = [:]
    for (Map step in steps) {
        Map mine = step
        branches[mine.stage] = { one(mine, run) }
    }
    parallel(branches)
}

/** Run one stage, unless it does not apply or what it needs has not passed. A failure lets the others go on. */
void one(Map step, Map run) {
    stage(step.stage) {
        List missing = step.needs.findAll { need -> !(run.ended[need] in ['passed', 'skipped']) }
        if (step.skip_reason) {
            echo("skipped: ${step.skip_reason}")
            run.ended[step.stage] = 'skipped'
        } else if (missing) {
            catchError(buildResult: 'SUCCESS', stageResult: 'NOT_BUILT', catchInterruptions: false) {
                error("not run: ${missing.join(', ')} did not pass")
            }
        } else {
            carryOut(step, run)
        }
    }
}

void carryOut(Map step, Map run) {
    Map done = jenkinsCd.run(step.arguments.take(2).join(' '), [
        arguments: step.arguments.drop(2), credentials: step.credentials])
    jenkinsCdReports.step(step)
    if (done.code == 0) {
        run.ended[step.stage] = 'passed'
        return
    }
    boolean unstable = done.code == 1 && (step.unstable || step.stage in run.unstable)
    String result = unstable ? 'UNSTABLE' : 'FAILURE'
    if (!unstable) {
        run.failures << done.message
    }
    catchError(buildResult: result, stageResult: result, catchInterruptions: false) {
        error(done.message)
    }
}

/** Start the shared deploy job for each automatic environment in turn; the first that fails ends it. */
void deliver(Map plan) {
    for (String environment in plan.delivery.environments) {
        stage("Deliver to ${environment}") {
            Map what = [APP: "${plan.project}/${plan.app}", VERSION: plan.version, ENVIRONMENT: environment]
            jenkinsCdJobs.deploy(plan.delivery.job, what)
        }
    }
}

/** Return the steps in lists of those that can run at once. */
@NonCPS
List waves(List steps) {
    return steps.collect { step -> step.wave }.unique().sort().collect { wave ->
        new ArrayList(steps.findAll { step -> step.wave == wave })
    }
}
