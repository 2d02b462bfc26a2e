/*
 * deployPipeline: the shared deploy job of all apps. One release to one environment, tested there.
 *
 *     @Library('jenkins-cd') _
 *     deployPipeline()
 *
 * `jenkins-cd jobs apply` makes the job, with its parameters APP, VERSION and ENVIRONMENT.
 */

def call(Map options = [:]) {
    Map given = jenkinsCd.options('deployPipeline', options, jenkinsCd.places() + [
        app        : params.APP ?: '',          // or project/app
        version    : params.VERSION ?: '',      // one that CI published
        environment: params.ENVIRONMENT ?: '',  // where to
        timeout    : 120,                       // minutes, the wait for another deployment included
    ])
    jenkinsCd.described {
        jenkinsCd.onAgent(given) {
            deploy(given)
        }
    }
}

void deploy(Map given) {
    Map plan = null
    stage('Prepare') {
        List names = ['--app', given.app, '--version', given.version, '--environment', given.environment]
        plan = jenkinsCd.plan('deploy --plan', names, given)
        currentBuild.displayName = plan.title
    }
    try {
        jenkinsCd.planned(plan) {
            alone(plan.lock) {
                inTurn(plan.steps)
            }
        }
    } finally {
        jenkinsCdReports.page(plan.published)
    }
}

/**
 * Run the steps in turn; one that fails is the build's error, with the first lines of its evidence, and ends it, but for
 * the step that records the failure: the tests, which are the app's own code, have no credentials to do that.
 */
void inTurn(List steps) {
    boolean nothingLeft = false
    String failure = null
    for (Map step in steps) {
        Map mine = step
        stage(mine.stage) {
            if (nothingLeft) {
                echo('nothing to do: this version is deployed and verified already')
                return
            }
            Map done = jenkinsCd.run('deploy', [arguments: mine.arguments.drop(1), credentials: mine.credentials])
            jenkinsCdReports.step(mine)
            if (done.code != 0) {
                failure = done.message
                if (!steps.any { other -> other.always && mine.stage in other.needs }) {
                    error(failure)
                }
                catchError(buildResult: 'FAILURE', stageResult: 'FAILURE', catchInterruptions: false) {
                    error(failure)
                }
                return
            }
            nothingLeft = done.document.done[0].already
        }
    }
    if (failure) {
        error(failure)
    }
}

/** Hold the lock of this app and environment. Without the plugin, deployments take turns on each agent by themselves. */
void alone(String resource, Closure body) {
    boolean begun = false
    try {
        lock(resource: resource) {
            begun = true
            body()
        }
        return
    } catch (NoSuchMethodError missing) {
        if (begun || !missing.message?.startsWith('No such DSL method')) {
            throw missing
        }
    }
    echo('jenkins-cd: this Jenkins has no step lock, its plugin is not installed; deployments take turns on each agent only')
    body()
}
