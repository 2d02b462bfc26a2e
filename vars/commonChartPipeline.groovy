/*
 * commonChartPipeline: publish the common Helm chart, which apps without a chart of their own depend on.
 *
 *     @Library('jenkins-cd') _
 *     commonChartPipeline()
 */

def call(Map options = [:]) {
    Map given = jenkinsCd.options('commonChartPipeline', options, jenkinsCd.places() + [
        timeout: 30,  // minutes
    ])
    jenkinsCd.described {
        jenkinsCd.onAgent(given) {
            publish(given)
        }
    }
}

void publish(Map given) {
    Map plan = null
    stage('Prepare') {
        plan = jenkinsCd.plan('common-chart publish --plan', [], given)
        currentBuild.displayName = plan.title
    }
    jenkinsCd.planned(plan) {
        for (Map step in plan.steps) {
            Map mine = step
            stage(mine.stage) {
                jenkinsCd(mine.arguments.join(' '), [credentials: mine.credentials])
            }
        }
    }
}
