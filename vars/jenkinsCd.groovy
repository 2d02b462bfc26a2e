/*
 * jenkinsCd: start jenkins-cd on the agent. The only step that does; all others call it.
 *
 *     jenkinsCd 'ci unit-tests'
 *     Map board = jenkinsCd('status', [arguments: ['--app', params.APP]])
 *
 * Arguments travel as JSON in the environment: no shell ever sees one. What the command reports comes back as a map.
 */

import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import groovy.transform.Field

@Field final int NEEDS_PACKAGE = 86  // what bootstrap.sh ends with where it has nothing to install from

/** Run a command and return the document that it reports. Where it fails, the build's error is what it said. */
def call(String arguments, Map options = [:]) {
    Map ended = run(arguments, options)
    if (ended.code != 0) {
        error(ended.message)
    }
    return ended.document
}

/** Run a command whatever comes of it: returns code (its exit code), message (why it failed) and document. */
Map run(String arguments, Map options = [:]) {
    Map given = this.options('jenkinsCd', options, [
        arguments  : [],  // more arguments, each passed on as it is
        credentials: [],  // what to bind, as a plan names it: [binding:, id:, variables:]
    ])
    List words = arguments.tokenize() + given.arguments.collect { word -> word.toString() }
    String file = ".jenkins-cd/outcomes/${UUID.randomUUID()}.json"
    List variables = ["JENKINS_CD_ARGUMENTS=${asJson(words)}", "JENKINS_CD_RESULT=${file}"]
    if (!env.JENKINS_CD_RUN && env.BUILD_TAG) {  // no pipeline of this library: what is in the workspace is the build's
        variables << "JENKINS_CD_RUN=${env.BUILD_TAG}"
    }
    int code = start(arguments, variables, given.credentials)
    if (code == NEEDS_PACKAGE) {
        code = start(arguments, variables + [ownPackage()], given.credentials)
    }
    Map ended = fileExists(file) ? fromJson(readFile(file: file, encoding: 'UTF-8')) : null
    return [code: code, message: told(arguments, code, ended), document: ended?.document]
}

/** Run a body with what every command of a pipeline needs to know. `place` has platform, platformCredentials, package. */
def within(Map place, Closure body) {
    List variables = ["JENKINS_CD_REQUESTED_BY=${requester()}"]
    if (place.run) {
        variables << "JENKINS_CD_RUN=${place.run}"
    }
    if (place.platform) {
        variables << "JENKINS_CD_PLATFORM=${place.platform}"
    }
    if (place['package']) {
        variables << "JENKINS_CD_PACKAGE=${place['package']}"
    }
    if (place.branch && !env.BRANCH_NAME) {  // only multibranch projects say it by themselves
        variables << "GIT_BRANCH=${place.branch}"
    }
    withEnv(variables) {
        body()
    }
}

/** Run a body on an agent, for as long as the options of a pipeline allow, with what every command needs to know. */
void onAgent(Map given, Closure body) {
    inWorkspace(given) {
        within(given) {
            body()
        }
    }
}

/**
 * Run a body in the workspace that the pipeline is in, else in that of an agent with the label: a node within a node
 * gets another workspace. What the pipeline leaves there is known as its own by `given.run`.
 */
void inWorkspace(Map given, Closure body) {
    given.run = given.run ?: UUID.randomUUID().toString()
    Closure limited = {
        timeout(time: given.timeout, unit: 'MINUTES') {
            body()
        }
    }
    if (env.NODE_NAME && env.WORKSPACE) {
        limited()
    } else {
        node(given.agent) {
            limited()
        }
    }
}

/** Run a body; the first line of why it fails becomes the build's description, which a build that started it shows. */
void described(Closure body) {
    try {
        body()
    } catch (hudson.AbortException failure) {
        String why = (failure.message ?: 'it failed').tokenize('\n')[0]
        currentBuild.description = [currentBuild.description, why].findAll { part -> part }.join('; ')
        throw failure
    }
}

/** Return what jenkins-cd plans to do. The platform file may be in a repository of its own: its credentials are bound. */
Map plan(String arguments, List more, Map place) {
    List bound = []
    if (place.platformCredentials) {
        bound << [binding: 'usernamePassword', id: place.platformCredentials, variables: [
            usernameVariable: 'JENKINS_CD_GIT_USERNAME', passwordVariable: 'JENKINS_CD_GIT_PASSWORD']]
    }
    return call(arguments, [arguments: more, credentials: bound])
}

/** Run a body with the platform file that a plan was made with; its digest holds every step to it. */
def planned(Map plan, Closure body) {
    if (!plan.platform) {
        return body()
    }
    withEnv(["JENKINS_CD_PLATFORM=${plan.platform.file}", "JENKINS_CD_PLATFORM_DIGEST=${plan.platform.digest}"]) {
        body()
    }
}

/** Return the options of a step over their defaults. An option that is unknown, or of another type, is an error. */
Map options(String step, Map given, Map known) {
    for (name in given.keySet()) {
        if (!known.containsKey(name)) {
            error("${step}: there is no option '${name}'. The options are: ${known.keySet().join(', ')}")
        }
        if (given[name] != null && kind(given[name]) != kind(known[name])) {
            error("${step}: the option '${name}' is a ${kind(given[name])}, expected a ${kind(known[name])}")
        }
    }
    return known + given.findAll { name, value -> value != null }
}

/** Return the options that all pipelines have, with what the administrator has set for all jobs as defaults. */
Map places() {
    return [
        agent              : env.JENKINS_CD_AGENT ?: '',                 // label of the agents; any where empty
        platform           : env.JENKINS_CD_PLATFORM ?: '',              // where the platform file is
        platformCredentials: env.JENKINS_CD_PLATFORM_CREDENTIALS ?: '',  // to read it from Git with
        package            : env.JENKINS_CD_PACKAGE ?: '',               // what pip installs jenkins-cd from
    ]
}

int start(String label, List variables, List credentials) {
    String script = libraryResource('jenkins_cd/bootstrap.sh')
    withEnv(variables) {
        if (!credentials) {
            return sh(script: script, returnStatus: true, label: "jenkins-cd ${label}")
        }
        withCredentials(bindings(credentials)) {
            return sh(script: script, returnStatus: true, label: "jenkins-cd ${label}")
        }
    }
}

List bindings(List credentials) {
    List bound = []
    for (one in credentials) {
        Map arguments = [credentialsId: one.id] + one.variables
        switch (one.binding) {
            case 'usernamePassword':
                bound << usernamePassword(arguments)
                break
            case 'sshUserPrivateKey':
                bound << sshUserPrivateKey(arguments)
                break
            case 'file':
                bound << file(arguments)
                break
            case 'string':
                bound << string(arguments)
                break
            default:
                error("jenkinsCd: credentials of the kind '${one.binding}' cannot be bound")
        }
    }
    return bound
}

/** Hand the library's own package to the agent, or say that the library has none. */
String ownPackage() {
    String file = '.jenkins-cd/jenkins_cd.whl'
    try {
        writeFile(file: file, encoding: 'Base64',
            text: libraryResource(resource: 'jenkins_cd/jenkins_cd.whl', encoding: 'Base64'))
        return "JENKINS_CD_WHEEL=${pwd()}/${file}"
    } catch (hudson.AbortException none) {
        return 'JENKINS_CD_FROM_INDEX=yes'
    }
}

/** Return who wants this build: a person, or the build that started it. */
String requester() {
    for (cause in currentBuild.getBuildCauses()) {
        if (cause.userId) {
            return cause.userId
        }
        if (cause.upstreamProject) {
            return "${cause.upstreamProject} #${cause.upstreamBuild}"
        }
    }
    return 'jenkins'
}

/**
 * Return the arguments as JSON in ASCII, without a dollar sign, which some Jenkins would take for a variable. They are
 * taken out of a map: that is what the sandbox lets a library that is not trusted write.
 */
@NonCPS
String asJson(List words) {
    Map all = [words: words]
    String json = JsonOutput.toJson(all)
    return json.substring(json.indexOf('['), json.length() - 1).replace('$', '\\u0024')
}

@NonCPS
Map fromJson(String text) {
    return plain(new JsonSlurper().parseText(text))
}

/** Return maps and lists that Jenkins can save in place of those that the parser made. */
@NonCPS
Object plain(Object value) {
    if (value instanceof Map) {
        Map copy = [:]
        for (entry in value.entrySet()) {
            copy.put(entry.key, plain(entry.value))
        }
        return copy
    }
    if (value instanceof List) {
        List copies = []
        for (each in value) {
            copies.add(plain(each))
        }
        return copies
    }
    return value
}

@NonCPS
String told(String arguments, int code, Map ended) {
    String what = "jenkins-cd ${arguments}"
    if (code == 0) {
        return ''
    }
    if (!ended?.message) {
        return "${what} ended with exit code ${code}: the log above says why"
    }
    List lines = ["${what}: ${ended.message}"]
    lines.addAll(ended.problems ?: [])
    lines.addAll([ended.evidence, ended.hint ? "next: ${ended.hint}" : ''])
    return lines.findAll { line -> line }.join('\n')
}

@NonCPS
String kind(Object value) {
    if (value instanceof CharSequence) {
        return 'text'
    }
    if (value instanceof Boolean) {
        return 'true or false'
    }
    return value instanceof Number ? 'number' : value instanceof Collection ? 'list' : value instanceof Map ? 'map' : 'value'
}
