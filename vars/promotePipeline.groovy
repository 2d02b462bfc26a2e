/*
 * promotePipeline: a person brings a release that is proven to the next environment.
 *
 *     @Library('jenkins-cd') _
 *     promotePipeline()
 *
 * `jenkins-cd jobs apply` makes the job, with its parameters APP, VERSION, ENVIRONMENT and REASON.
 */

def call(Map options = [:]) {
    Map given = jenkinsCd.options('promotePipeline', options, jenkinsCd.places() + [
        app        : params.APP ?: '',          // or project/app
        version    : params.VERSION ?: '',      // one that is verified in the environment before
        environment: params.ENVIRONMENT ?: '',  // where to
        reason     : params.REASON ?: '',       // why; kept in the ledger
        patience   : 72,                        // hours that the question stays open
        timeout    : 30,                        // minutes, for what runs on an agent before and after it
    ])
    jenkinsCd.described {
        promote(given)
    }
}

void promote(Map given) {
    Map asked = prepare(given)
    if (asked.promotion.already) {
        echo("nothing to do: ${asked.plan.title} is deployed and verified already")
        return
    }
    String approver = ask(given, asked.promotion)
    approve(given, asked, approver)
    stage('Deploy') {
        Map what = [APP: given.app, VERSION: given.version, ENVIRONMENT: given.environment]
        jenkinsCdJobs.deploy(asked.plan.delivery.job, what)
    }
}

/** Return the plan, the platform file that it was made with, and what an approver is told. Refused is refused here. */
Map prepare(Map given) {
    Map asked = [:]
    jenkinsCd.onAgent(given) {
        stage('Prepare') {
            List names = ['--app', given.app, '--version', given.version, '--to', given.environment]
            List why = given.reason ? ['--reason', given.reason] : []
            asked.plan = jenkinsCd.plan('promote --plan', names + why, given)
            currentBuild.displayName = asked.plan.title
            asked.platform = readFile(file: asked.plan.platform.file, encoding: 'UTF-8')
        }
        stage('Question') {
            jenkinsCd.planned(asked.plan) {
                asked.promotion = carryOut(asked.plan.steps[0], [])
            }
        }
    }
    return asked
}

/** Ask those who may approve; returns who did. No agent waits meanwhile. */
String ask(Map given, Map promotion) {
    String approver = null
    stage('Approval') {
        timeout(time: given.patience, unit: 'HOURS') {
            approver = input(
                message: "${promotion.question}\nThe log of the stage Question shows what would change.",
                ok: 'Promote',
                submitter: promotion.approvers.join(','),
                submitterParameter: 'APPROVER')
        }
    }
    return approver
}

/** Record who approved, where the deploy job finds it. The agent may be another one: it is given the platform file. */
void approve(Map given, Map asked, String approver) {
    jenkinsCd.onAgent(given) {
        stage('Record') {
            writeFile(file: asked.plan.platform.file, encoding: 'UTF-8', text: asked.platform)
            jenkinsCd.planned(asked.plan) {
                carryOut(asked.plan.steps[1], ['--approver', approver])
            }
            currentBuild.description = "approved by ${approver}"
        }
    }
}

def carryOut(Map step, List more) {
    return jenkinsCd(step.arguments[0], [arguments: step.arguments.drop(1) + more, credentials: step.credentials])
}
