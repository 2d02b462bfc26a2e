// The multibranch project of one app, for Jenkins' plugin Job DSL: a seed job, or `jobs: [{file: …}]` as Configuration as
// Code. Put your own names and addresses. The plugin Basic Branch Build Strategies must be there: without it Jenkins finds
// a tag and does not build it.
multibranchPipelineJob('shop/storefront') {
    branchSources {
        branchSource {
            source {
                git {
                    id('storefront')
                    remote('https://git.shop.example/shop/storefront.git')
                    credentialsId('app-repositories')
                    traits {
                        gitBranchDiscovery()
                        gitTagDiscovery()
                        cloneOption {
                            extension {
                                noTags(false)   // versions come from tags; by default none are fetched
                                shallow(false)  // and from the commits since the last one
                                reference('')
                                timeout(20)     // minutes
                            }
                        }
                    }
                }
            }
            buildStrategies {
                // As soon as one strategy is named, what none of them names is not built.
                buildRegularBranches()
                buildTags {
                    atLeastDays('-1')
                    atMostDays('7')  // older tags are not built anew when the project is made
                }
            }
        }
    }
    orphanedItemStrategy {
        discardOldItems {
            numToKeep(20)
        }
    }
}
